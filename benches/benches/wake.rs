//! Waking the tasks of a tokio runtime.

fn main() {
    rescind_benches::criterion::run("wake");
}
