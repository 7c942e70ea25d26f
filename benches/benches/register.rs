//! Registering and unregistering.

fn main() {
    rescind_benches::criterion::run("register");
}
