//! The tree that ARCHITECTURE.md prints is the real one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Faults;

const DOCUMENT: &str = "ARCHITECTURE.md";

/// Compares the first fenced block of ARCHITECTURE.md that prints a tree with the files.
///
/// A line is an indentation of two spaces per level, one or more names separated by single spaces (a folder's ends
/// with `/`) and, after two spaces or more, what they are. A folder that is printed with anything in it is printed
/// whole.
pub(super) fn printed_tree_is_real(root: &Path) -> Faults {
    let text = match fs::read_to_string(root.join(DOCUMENT)) {
        Ok(text) => text,
        Err(e) => return vec![format!("cannot read {DOCUMENT}: {e}")],
    };
    match printed(&text) {
        Ok(printed) => compare(&printed, |folder| real(root, folder)),
        Err(fault) => vec![fault],
    }
}

/// The printed paths; a folder's ends with `/`.
fn printed(text: &str) -> Result<BTreeSet<String>, String> {
    let mut block = text.lines().skip_while(|line| !line.starts_with("```text")).skip(1).peekable();
    if block.peek().is_none() {
        return Err(format!("{DOCUMENT} prints no tree (a block that begins with ```text)"));
    }
    let mut paths = BTreeSet::new();
    let mut folders: Vec<String> = Vec::new();
    for line in block.take_while(|line| !line.starts_with("```")).filter(|line| !line.trim().is_empty()) {
        let names = line.trim_start_matches(' ');
        let level = (line.len() - names.len()) / 2;
        if level > folders.len() {
            return Err(format!("{DOCUMENT}: `{}` is indented below nothing", names.trim()));
        }
        folders.truncate(level);
        let names = names.split("  ").next().unwrap_or_default();
        for name in names.split(' ') {
            paths.insert(format!("{}{name}", folders.concat()));
        }
        if let Some(folder) = names.split(' ').next_back().filter(|name| name.ends_with('/')) {
            folders.push(folder.to_owned());
        }
    }
    Ok(paths)
}

/// What is printed and not there, and what is there and not printed.
fn compare(printed: &BTreeSet<String>, real: impl Fn(&str) -> BTreeSet<String>) -> Faults {
    let folder_of = |path: &str| {
        let end = path.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1);
        path[..end].to_owned()
    };
    let opened: BTreeSet<_> = printed.iter().map(|path| folder_of(path)).collect();
    let mut faults = Faults::new();
    for folder in &opened {
        let there = real(folder);
        let shown: BTreeSet<_> = printed.iter().filter(|path| folder_of(path) == *folder).cloned().collect();
        let missing = shown.difference(&there).map(|path| format!("{DOCUMENT} prints {path}, which is not there"));
        faults.extend(missing);
        faults.extend(there.difference(&shown).map(|path| format!("{DOCUMENT} does not print {path}")));
    }
    faults
}

/// The paths directly in `folder`.
fn real(root: &Path, folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
    let path = |entry: fs::DirEntry| {
        let slash = if entry.path().is_dir() { "/" } else { "" };
        format!("{folder}{}{slash}", entry.file_name().to_string_lossy())
    };
    entries.map(path).filter(|path| !matches!(&**path, ".git/" | ".git" | "target/")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{compare, printed};

    const DOC: &str = "# A\n\n```text\nCargo.toml README.md  the project\nimpl/                 the token\n  src/\n    \
                       lib.rs            all of it\nxtask/                the gates\n```\n";

    fn real(folder: &str) -> BTreeSet<String> {
        let paths: &[&str] = match folder {
            "" => &["Cargo.toml", "README.md", "impl/", "xtask/"],
            "impl/" => &["impl/src/"],
            "impl/src/" => &["impl/src/lib.rs"],
            _ => &[],
        };
        paths.iter().map(|&path| path.to_owned()).collect()
    }

    #[test]
    fn a_tree_as_it_is_passes() {
        assert_eq!(compare(&printed(DOC).expect("a tree"), real), [""; 0]);
    }

    #[test]
    fn what_is_not_there_or_not_printed_is_told() {
        let extra = DOC.replace("README.md", "README.md NEWS.md");
        let faults = compare(&printed(&extra).expect("a tree"), real);
        assert_eq!(faults, ["ARCHITECTURE.md prints NEWS.md, which is not there"]);
        let lacking = DOC.replace(" README.md", "");
        let faults = compare(&printed(&lacking).expect("a tree"), real);
        assert_eq!(faults, ["ARCHITECTURE.md does not print README.md"]);
        assert!(printed("no block").is_err());
        assert!(printed("```text\n    deep.rs\n```").is_err_and(|fault| fault.contains("below nothing")));
    }
}
