//! The text of the sources, by place.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use weakest::model::spot::Spot;

use crate::tests_of;

/// The sources below a folder. Each file is read once.
#[derive(Debug)]
pub(crate) struct Sources {
    root: PathBuf,
    files: RefCell<BTreeMap<String, Rc<File>>>,
}

#[derive(Debug, Default)]
struct File {
    lines: Vec<String>,
    /// Lines of tests, from 1: the first and the last of each stretch.
    tests: Vec<(usize, usize)>,
}

impl Sources {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), files: RefCell::default() }
    }

    fn file(&self, name: &str) -> Rc<File> {
        let read = || {
            let text = fs::read_to_string(self.root.join(name)).unwrap_or_default();
            Rc::new(File { lines: text.lines().map(str::to_owned).collect(), tests: tests_of::stretches(&text) })
        };
        self.files.borrow_mut().entry(name.to_owned()).or_insert_with(read).clone()
    }

    /// The line of a file, from 1, without blanks around it; empty if there is none.
    pub(crate) fn line(&self, file: &str, line: u32) -> String {
        let at = (line as usize).checked_sub(1);
        at.and_then(|at| self.file(file).lines.get(at).map(|line| line.trim().to_owned())).unwrap_or_default()
    }

    /// Whether a place is to be audited: it is in the workspace, and not in a test.
    pub(crate) fn is_audited(&self, spot: &Spot) -> bool {
        let path = Path::new(&spot.file);
        let is_own = path.is_relative() && self.root.join(path).is_file();
        let line = spot.line as usize;
        let in_test = || self.file(&spot.file).tests.iter().any(|&(from, to)| (from..=to).contains(&line));
        is_own && !tests_of::is_file_of_tests(path) && !self.is_module_of_tests(path) && !in_test()
    }

    /// Whether some file around this one declares it, or a folder that it is in, as a module of tests.
    fn is_module_of_tests(&self, path: &Path) -> bool {
        let own = path.with_extension("");
        let modules = own.ancestors().filter(|module| module.file_name().is_some_and(|name| name != "mod"));
        let mut declared = modules.filter_map(|module| {
            let (name, folder) = (module.file_name()?.to_str()?, module.parent()?);
            let around = ["mod.rs", "lib.rs", "main.rs"].map(|file| folder.join(file));
            let around = around.into_iter().chain([folder.with_extension("rs")]);
            Some(
                around
                    .filter_map(|file| fs::read_to_string(self.root.join(file)).ok())
                    .any(|text| tests_of::modules(&text).iter().any(|module| module == name)),
            )
        });
        declared.any(|is_test| is_test)
    }

    /// The places that a trace names, in the order of the source, with their lines: `file:line:column`, `line`.
    pub(crate) fn named_in(&self, trace: &str) -> Vec<(String, String)> {
        let mut places: Vec<(&str, u32, u32)> = Vec::new();
        for word in trace.split_whitespace() {
            let mut parts = word.rsplitn(3, ':');
            let (column, line) =
                (parts.next().and_then(|it| it.parse().ok()), parts.next().and_then(|it| it.parse().ok()));
            if let (Some(column), Some(line), Some(file)) = (column, line, parts.next())
                && !places.contains(&(file, line, column))
            {
                places.push((file, line, column));
            }
        }
        places.sort_unstable();
        let told = |(file, line, column): (&str, u32, u32)| {
            let text = self.line(file, line);
            (!text.is_empty()).then(|| (format!("{file}:{line}:{column}"), text))
        };
        places.into_iter().filter_map(told).collect()
    }
}
