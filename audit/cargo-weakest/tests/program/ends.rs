//! Wrong usage, outputs that take nothing, and interruptions.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Crate, target};

#[test]
fn wrong_names_are_exit_code_2_and_what_there_is_is_told() {
    let subject = Crate::new();
    for (arguments, told) in [
        (&["test", "--offline", "nobody"][..], "no test's name holds `nobody`"),
        (&["test", "--offline", "-p", "other"], "there is no crate `other` in the workspace: there are mailbox"),
        (&["test", "--offline", "--test", "other"], "there is no test `other`: there are loom"),
        (&["test", "--offline", "--weakest", "nowhere"], "there is no checkout of weakest at nowhere"),
        (&["test", "--offline", "--json", "no/folder/x.json"], "there is no folder no/folder"),
        (&["audit", "--offline", "--baseline", "nothing.json"], "cannot read the baseline nothing.json"),
        (&["audit", "--offline", "--explain", "lib.rs"], "`lib.rs` is no place"),
        (&["replay", "12"], "`12` is no id"),
        (&["replay", "0123456789"], "no failing execution `0123456789` is known"),
        (&["test", "--seconds", "0"], "invalid value '0'"),
    ] {
        let (code, out, err) = subject.run(arguments);
        assert!(code == Some(2) && err.contains(told), "{arguments:?}: {code:?} {out}{err}");
    }
    subject.write("Cargo.toml", "[package]\nname = \"other\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
    let (code, _, err) = subject.run(&["test"]);
    assert!(code == Some(2) && err.contains("the crate `other` does not depend on loom"), "{err}");
    let folder = tempfile::tempdir().expect("a folder");
    let (code, _, err) = subject.run(&["test", "--manifest-path", folder.path().to_str().expect("text")]);
    assert!(code == Some(2) && !err.is_empty(), "{err}");
}

#[test]
fn a_crate_that_does_not_compile_is_wrong_usage() {
    let subject = Crate::new();
    subject.write("src/lib.rs", "not a program");
    let (code, _, err) = subject.run(&["test", "--offline"]);
    assert!(code == Some(2) && err.contains("the tests of `mailbox` do not compile with `--cfg loom`"), "{err}");
}

#[test]
fn a_full_device_is_exit_code_3_and_files_are_whole() {
    let subject = Crate::new();
    let json = subject.path().join("found.json");
    let full = || File::options().write(true).open("/dev/full").expect("the system has it");
    let arguments = ["test", "--offline", "delivers", "--json", json.to_str().expect("text")];
    let status = subject.command(&arguments).stdout(full()).stderr(Stdio::null()).status().expect("it runs");
    assert_eq!(status.code(), Some(3));
    let found: Vec<serde_json::Value> =
        serde_json::from_str(&fs::read_to_string(&json).expect("written")).expect("whole");
    assert_eq!(found.len(), 1);
    let (code, _, err) = subject.run(&["test", "--offline", "delivers", "--json", "/dev/full"]);
    assert!(code == Some(3) && err.contains("cannot write /dev/full"), "{err}");
}

/// While a test that never ends is run: the run ends, and with it the test's process; no file is left.
#[test]
fn an_interruption_leaves_nothing_behind() {
    let subject = Crate::new();
    let json = subject.path().join("found.json");
    let arguments =
        ["test", "--offline", "takes_for_ever", "--seconds", "3600", "--json", json.to_str().expect("text")];
    let mut run = subject.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
    let records = target().join("weakest/records");
    let of_run = |id: u32| {
        let files = fs::read_dir(&records).into_iter().flatten().flatten();
        files.filter(|file| file.file_name().to_string_lossy().starts_with(&format!("{id}-"))).count()
    };
    let start = Instant::now();
    while of_run(run.id()) == 0 {
        assert!(start.elapsed() < Duration::from_secs(1800), "the test never began");
        thread::sleep(Duration::from_millis(50));
    }
    let sent = Command::new("kill").args(["-INT", &run.id().to_string()]).status().expect("the system has it");
    assert!(sent.success());
    assert_eq!(run.wait().expect("it ends").code(), Some(3));
    assert_eq!(of_run(run.id()), 0, "no record is left");
    assert!(!json.exists());
    let left: Vec<_> = subject.files().into_keys().collect();
    assert_eq!(left.len(), 3, "{left:?}");
}
