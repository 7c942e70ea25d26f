//! Files of one crate that use each other in a circle: none can be read, moved or tested without the others.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::resolved;
use super::{Faults, Source};

/// The first circle among the modules directly in `folder`, which are one crate's. The root is not one of them: it
/// names all, and none should name it.
pub(super) fn none_among(folder: &str, sources: &[&Source]) -> Faults {
    let mut uses = BTreeMap::<&str, BTreeSet<String>>::new();
    for source in sources.iter().filter(|source| source.is_in(folder)) {
        let module = source.path[folder.len()..].trim_end_matches(".rs");
        if module.contains('/') || module == "lib" {
            continue;
        }
        let found = match resolved(&source.text) {
            Ok(found) => found,
            Err(e) => return vec![format!("{}: {e}", source.path)],
        };
        let others = found.into_iter().filter_map(|mention| match &*mention.path {
            [first, other, ..] if (first == "crate" || first == "super") && other != module => Some(other.clone()),
            _ => None,
        });
        uses.insert(module, others.collect());
    }
    // Take away, again and again, what uses nothing that is left.
    let mut left: BTreeSet<&str> = uses.keys().copied().collect();
    while let Some(&free) = left.iter().find(|&&module| uses[module].iter().all(|other| !left.contains(&**other))) {
        left.remove(free);
    }
    if left.is_empty() {
        return Faults::new();
    }
    // What is left uses each other, or what does.
    let used: BTreeSet<&str> = left.iter().flat_map(|module| &uses[module]).map(|name| &**name).collect();
    let circle: Vec<_> = left.into_iter().filter(|module| used.contains(module)).collect();
    vec![format!("{folder}: in a circle of files that use each other: {}", circle.join(", "))]
}

#[cfg(test)]
mod tests {
    use super::super::{Source, rust};
    use super::none_among;

    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> = files.iter().map(|(name, text)| rust(&format!("x/src/{name}.rs"), text)).collect();
        none_among("x/src/", &sources.iter().collect::<Vec<_>>())
    }

    #[test]
    fn a_circle_is_told_however_long_and_however_written() {
        let chain = [("lib", "mod a; mod b; use a::A;"), ("a", "use crate::b::B;"), ("b", "use std::fmt;")];
        assert_eq!(faults(&chain), [""; 0]);
        let long = [("a", "use crate::b::B;"), ("b", "use crate::{c};"), ("c", "fn f() { crate::a::g(); }"), ("d", "")];
        assert_eq!(faults(&long), ["x/src/: in a circle of files that use each other: a, b, c"]);
        assert_eq!(faults(&[("a", "use super::b;"), ("b", "use super::a::A;")]).len(), 1);
    }
}
