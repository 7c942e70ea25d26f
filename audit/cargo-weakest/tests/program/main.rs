//! The program, as it is used: on a crate with loom tests that lies outside of any workspace.
//!
//! | what                                        | what must hold                                               |
//! |---------------------------------------------|--------------------------------------------------------------|
//! | tests that pass, fail, are not finished     | 0, 1, 3; the crate's folder stays as it is                    |
//! | a failing execution                         | is printed again by its id, the same each time, and drawn     |
//! | an audit                                    | tells what is needed from what is too strong, in order        |
//! | a baseline                                  | only what is new fails                                        |
//! | wrong names                                 | 2, and what there is                                          |
//! | a full device, Ctrl-C                       | 3; no file is half-written, nothing is left behind            |
#![cfg(unix)]

mod audits;
mod ends;
mod runs;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

const MANIFEST: &str = r#"[package]
name = "mailbox"
version = "0.1.0"
edition = "2021"

[target.'cfg(loom)'.dependencies]
loom = "0.7"

[lints.rust]
unexpected_cfgs = { level = "allow" }
"#;

/// Of a letter and a flag: the flag's store must release, its load may be weaker than it is.
const LIBRARY: &str = r#"//! A place for one letter.
#![cfg(loom)]

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, Ordering};

pub struct Mailbox {
    letter: UnsafeCell<u32>,
    full: AtomicBool,
}

unsafe impl Sync for Mailbox {}

impl Mailbox {
    pub fn new() -> Self {
        Self { letter: UnsafeCell::new(0), full: AtomicBool::new(false) }
    }

    pub fn put(&self, letter: u32, order: Ordering) {
        self.letter.with_mut(|place| unsafe { *place = letter });
        self.full.store(true, order);
    }

    pub fn send(&self, letter: u32) {
        self.letter.with_mut(|place| unsafe { *place = letter });
        self.full.store(true, Ordering::Release);
    }

    pub fn take(&self) -> Option<u32> {
        self.full.load(Ordering::SeqCst).then(|| self.letter.with(|place| unsafe { *place }))
    }
}

/// Shared by the standard library's `Arc`, whose count the explorer does not see.
pub struct Half(Shared);

struct Shared(std::sync::Arc<AtomicBool>);

pub fn halves() -> (Half, Half) {
    let shared = std::sync::Arc::new(AtomicBool::new(false));
    (Half(Shared(shared.clone())), Half(Shared(shared)))
}

impl Half {
    pub fn set(&self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn without_a_model() {}
}
"#;

const TESTS: &str = r#"#![cfg(loom)]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread::spawn;
use mailbox::Mailbox;

#[test]
fn delivers() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::new());
        let theirs = mailbox.clone();
        let other = spawn(move || theirs.send(7));
        assert!(matches!(mailbox.take(), None | Some(7)));
        other.join().unwrap();
    });
}

#[test]
fn relaxed_is_broken() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::new());
        let theirs = mailbox.clone();
        let other = spawn(move || theirs.put(7, Ordering::Relaxed));
        mailbox.take();
        other.join().unwrap();
    });
}

#[test]
fn takes_for_ever() {
    loom::model(|| {
        let count = Arc::new(AtomicUsize::new(0));
        let add = |count: Arc<AtomicUsize>| move || (0..6).for_each(|_| _ = count.fetch_add(1, Ordering::Relaxed));
        let others: Vec<_> = (0..4).map(|_| spawn(add(count.clone()))).collect();
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

#[test]
fn frees_by_std() {
    loom::model(|| {
        let (half, other) = mailbox::halves();
        spawn(move || other.set());
        half.set();
    });
}

#[test]
#[ignore]
fn ignored() {
    loom::model(|| {});
}
"#;

/// A crate with loom tests, in a folder of its own. One at a time: they have one target folder.
struct Crate {
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

static TURN: Mutex<()> = Mutex::new(());

impl Crate {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let found = Self { folder, _turn: TURN.lock().unwrap_or_else(PoisonError::into_inner) };
        for (name, text) in [("Cargo.toml", MANIFEST), ("src/lib.rs", LIBRARY), ("tests/loom.rs", TESTS)] {
            found.write(name, text);
        }
        found
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.path().join(name);
        fs::create_dir_all(file.parent().expect("it is in a folder")).expect("a folder");
        fs::write(file, text).expect("writable");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-weakest"));
        command.arg("weakest").args(arguments).current_dir(self.path());
        // One target folder for all tests: what they depend on is built once.
        command.env("CARGO_TARGET_DIR", target()).env_remove("RUSTFLAGS").stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().expect("the program runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes text");
        (status.code(), text(stdout), text(stderr))
    }

    /// Every file with what is in it.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = walkdir::WalkDir::new(self.path()).into_iter().map(|entry| entry.expect("readable"));
        let files = files.filter(|entry| entry.file_type().is_file());
        files.map(|entry| (entry.path().to_owned(), fs::read(entry.path()).expect("readable"))).collect()
    }
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("mailbox")
}

/// The id that a line which holds `text` tells.
fn id(out: &str, text: &str) -> String {
    let line = out.lines().skip_while(|line| !line.contains(text)).find(|line| line.contains("replay "));
    let after = line.and_then(|line| line.split("replay ").nth(1)).expect("an id");
    after.chars().take_while(char::is_ascii_hexdigit).collect()
}
