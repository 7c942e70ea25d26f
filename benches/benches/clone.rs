//! Cloning and dropping a token.

fn main() {
    rescind_benches::criterion::run("clone");
}
