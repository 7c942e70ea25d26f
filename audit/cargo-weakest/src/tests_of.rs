//! Which parts of a source are tests: their orderings are not on trial.

use std::path::Path;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod};

/// Whether the file is one of tests by its name, or its folder's.
pub(crate) fn is_file_of_tests(path: &Path) -> bool {
    let folders = path.parent().into_iter().flat_map(Path::components);
    let mut folders = folders.filter_map(|folder| folder.as_os_str().to_str());
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    folders.any(|folder| matches!(folder, "tests" | "test" | "benches" | "examples")) || is_name_of_tests(stem)
}

fn is_name_of_tests(name: &str) -> bool {
    matches!(name, "tests" | "test") || name.ends_with("_tests") || name.ends_with("_test")
}

/// Whether an attribute says that what it stands at is there for tests only.
fn is_for_tests(attribute: &Attribute) -> bool {
    let is_test = attribute.path().segments.last().is_some_and(|segment| segment.ident == "test");
    let condition = || attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
    let words = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "test");
    let needs_test = || {
        let condition = condition();
        words(&condition) && !condition.contains("not (test") && !condition.contains("not(test")
    };
    is_test || attribute.path().is_ident("cfg") && needs_test()
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        _ => &[],
    }
}

/// What a file has of tests.
#[derive(Debug, Default)]
struct Tests {
    stretches: Vec<(usize, usize)>,
    modules: Vec<String>,
}

impl<'ast> Visit<'ast> for Tests {
    fn visit_item(&mut self, item: &'ast Item) {
        let named = matches!(item, Item::Mod(ItemMod { ident, .. }) if is_name_of_tests(&ident.to_string()));
        if named || attributes(item).iter().any(is_for_tests) {
            let span = item.span();
            self.stretches.push((span.start().line, span.end().line));
            if let Item::Mod(ItemMod { ident, content: None, .. }) = item {
                self.modules.push(ident.to_string());
            }
            return;
        }
        visit::visit_item(self, item);
    }
}

fn tests(text: &str) -> Tests {
    let mut tests = Tests::default();
    // What does not parse has no tests that could be told.
    if let Ok(file) = syn::parse_file(text) {
        tests.visit_file(&file);
    }
    tests
}

/// The lines of tests, from 1: the first and the last of each stretch.
pub(crate) fn stretches(text: &str) -> Vec<(usize, usize)> {
    tests(text).stretches
}

/// The modules in files of their own that are there for tests only.
pub(crate) fn modules(text: &str) -> Vec<String> {
    tests(text).modules
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{is_file_of_tests, modules, stretches};

    #[test]
    fn tests_are_told_from_what_they_test() {
        let text = "fn f() {}\n#[cfg(all(test, loom))]\nmod inside {\n    fn g() {}\n}\n#[cfg(not(test))]\nmod own {\n}\n\
                    #[cfg(test)]\nmod apart;\nmod loom_tests {\n    fn h() {}\n}\nmod m {\n    #[test]\n    fn t() {\n    }\n}\n";
        assert_eq!(stretches(text), [(2, 5), (9, 10), (11, 13), (15, 17)]);
        assert_eq!(modules(text), ["apart"]);
        assert!(stretches("fn (").is_empty());
    }

    #[test]
    fn files_of_tests_are_known_by_their_names() {
        for file in ["tests/loom.rs", "a/src/sync/tests/loom_x.rs", "src/tests.rs", "src/loom_tests.rs", "a/test/b.rs"]
        {
            assert!(is_file_of_tests(Path::new(file)), "{file}");
        }
        for file in ["src/lib.rs", "src/testing.rs", "src/latest.rs"] {
            assert!(!is_file_of_tests(Path::new(file)), "{file}");
        }
    }
}
