//! Making and dropping a source.

fn main() {
    rescind_benches::criterion::run("new");
}
