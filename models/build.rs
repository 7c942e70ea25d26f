//! Records which sources the audit is built from.

#[expect(unreachable_pub, reason = "the library shares this file and offers it")]
#[path = "src/sources.rs"]
mod sources;

use std::path::Path;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for source in sources::SOURCES {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    let hash = sources::hash(&root).unwrap_or_else(|e| panic!("cannot read the sources: {e}"));
    println!("cargo::rustc-env=AUDITED_SOURCES={hash}");
}
