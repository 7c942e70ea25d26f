//! Sources linked one to the next, by depth.

fn main() {
    rescind_benches::criterion::run("chain");
}
