//! Linking a source and dropping it, by siblings.

fn main() {
    rescind_benches::criterion::run("child");
}
