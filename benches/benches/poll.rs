//! Asking a token.

fn main() {
    rescind_benches::criterion::run("poll");
}
