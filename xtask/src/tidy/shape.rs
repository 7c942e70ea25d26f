//! The shape of files: how long, how they open, what they never say.

use super::tokens::mentions;
use super::{Faults, Source};

/// Lines of a source file, at the most.
const LINES: usize = 400;

/// What names a machine or a place that a reader of the repository does not have. Each in two halves, or this very
/// file would say it.
const PRIVATE: &[&str] = &[
    concat!("../", "shared"),
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/tm", "p/"),
];

/// Length, opening, and what a finished source does not have.
pub(super) fn rust_file(source: &Source) -> Faults {
    let mut faults = Faults::new();
    let path = &source.path;
    let lines = source.text.lines().count();
    if lines > LINES {
        faults.push(format!("{path}: {lines} lines, of {LINES} at the most"));
    }
    if !opens_with_a_sentence(&source.text) {
        faults.push(format!("{path}: does not open with a `//!` sentence"));
    }
    faults.extend(unfinished(source));
    faults
}

fn opens_with_a_sentence(text: &str) -> bool {
    let opening = text.lines().map_while(|line| line.strip_prefix("//!")).take_while(|line| !line.trim().is_empty());
    opening.last().is_some_and(|line| line.trim_end().ends_with(['.', ':']))
}

/// `#[ignore]`, `#[should_panic]`, `todo!`, `unimplemented!` and `dbg!`, in macros too.
fn unfinished(source: &Source) -> Faults {
    let Ok(found) = mentions(&source.text) else {
        return vec![format!("{}: does not parse", source.path)];
    };
    let line_of = |line: usize| source.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let refused = found.iter().filter_map(|mention| {
        let [word] = &*mention.path else { return None };
        let line = line_of(mention.line);
        let found = match &**word {
            "ignore" | "should_panic" => line.contains(&format!("#[{word}")),
            "todo" | "unimplemented" | "dbg" => line.contains(&format!("{word}!")),
            _ => false,
        };
        found.then(|| format!("{}:{}: has `{word}`", source.path, mention.line))
    });
    refused.collect()
}

/// No file names a path of somebody's machine.
pub(super) fn no_private_words(source: &Source) -> Faults {
    let mut faults = Faults::new();
    for (index, line) in source.text.lines().enumerate() {
        for word in PRIVATE.iter().filter(|word| line.contains(**word)) {
            faults.push(format!("{}:{}: names `{word}`", source.path, index + 1));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::rust;
    use super::{LINES, PRIVATE, no_private_words, rust_file};

    #[test]
    fn a_file_opens_with_a_sentence() {
        assert_eq!(rust_file(&rust("x.rs", "//! What it is.\nfn f() {}\n")), [""; 0]);
        for text in ["fn f() {}\n", "//!\n//! Late.\n", "//! no sentence\n", "// Not a doc.\nfn f() {}\n"] {
            assert_eq!(rust_file(&rust("x.rs", text)), ["x.rs: does not open with a `//!` sentence"], "{text}");
        }
    }

    #[test]
    fn a_file_is_no_longer_than_it_may_be() {
        let long = format!("//! Long.\n{}", "// x\n".repeat(LINES));
        assert_eq!(rust_file(&rust("x.rs", &long)), ["x.rs: 401 lines, of 400 at the most"]);
    }

    #[test]
    fn what_is_not_finished_is_refused() {
        for code in [
            "#[test]\n#[ignore]\nfn f() {}",
            "#[should_panic(expected = \"x\")]\nfn f() {}",
            "fn f() { todo!() }",
            "fn f() { g(dbg!(x)); }",
            "macro_rules! m { () => { unimplemented!() }; }",
        ] {
            assert_eq!(rust_file(&rust("x.rs", &format!("//! Bad.\n{code}\n"))).len(), 1, "{code}");
        }
        let said = "//! Says `todo!` only.\n// dbg!\nfn ignore() { let x = \"todo!()\"; }\n";
        assert_eq!(rust_file(&rust("x.rs", said)), [""; 0]);
    }

    #[test]
    fn no_machine_is_named() {
        for word in PRIVATE {
            let text = format!("see {word}x");
            assert_eq!(no_private_words(&rust("README.md", &text)).len(), 1, "{word}");
        }
        assert_eq!(no_private_words(&rust("README.md", "see shared/x, a/work and the root")), [""; 0]);
    }
}
