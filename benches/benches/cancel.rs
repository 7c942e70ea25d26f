//! Requests, by how much is registered.

fn main() {
    rescind_benches::criterion::run("cancel");
}
