//! `cargo xtask primitives`: primitives in crates of their own, outside of the workspace, audited as somebody else's would
//! be; and with an ordering that is too weak or too strong, which the audit must name.
//!
//! They are copied to `target/primitives`, into one workspace, so that what they depend on is compiled once.

mod page;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use walkdir::WalkDir;

use crate::command::Outcome;

/// A primitive below `audit/primitives`.
struct Primitive {
    name: &'static str,
    /// What its audit says as it is.
    says: &'static [&'static str],
    plants: &'static [Plant],
}

/// A wrong ordering.
struct Plant {
    /// What is there once in `src/lib.rs`.
    from: &'static str,
    /// What takes its place.
    to: &'static str,
    /// What the audit must say then.
    named: &'static str,
}

/// Each primitive, and what is planted in it.
const PRIMITIVES: &[Primitive] = &[
    Primitive {
        name: "ticket-lock",
        says: &["two_holders", "2 weakenings: 2 killed, 0 survived"],
        plants: &[
            Plant {
                from: "Serve { op: Store, ordering: Release",
                to: "Serve { op: Store, ordering: Relaxed",
                named: "two_holders (graph): broken: race: race on the value",
            },
            Plant {
                from: "Wait { op: Load, ordering: Acquire",
                to: "Wait { op: Load, ordering: SeqCst",
                named: "SURVIVOR Wait can be Acquire: no scenario tells it from SeqCst; Relaxed is killed by two_holders",
            },
            Plant {
                from: "Take { op: Rmw, ordering: Relaxed",
                to: "Take { op: Rmw, ordering: AcqRel",
                named: "SURVIVOR Take can be Relaxed: no scenario tells it from AcqRel",
            },
        ],
    },
    Primitive {
        name: "spsc-ring",
        says: &["three_through_two", "4 weakenings: 4 killed, 0 survived"],
        plants: &[
            Plant {
                from: "Pop { op: Store, ordering: Release",
                to: "Pop { op: Store, ordering: Relaxed",
                named: "three_through_two (graph): broken: race: race on a place",
            },
            Plant {
                from: "WaitFull { op: Load, ordering: Acquire",
                to: "WaitFull { op: Load, ordering: SeqCst",
                named: "SURVIVOR WaitFull can be Acquire",
            },
        ],
    },
    Primitive {
        name: "arc",
        says: &["two_handles", "upgrade_vs_drop", "4 weakenings: 4 killed, 0 survived"],
        plants: &[
            Plant {
                from: "Drop { op: Rmw, ordering: Release",
                to: "Drop { op: Rmw, ordering: Relaxed",
                named: "two_handles (graph): broken: race: race on the value",
            },
            Plant {
                from: "Clone { op: Rmw, ordering: Relaxed",
                to: "Clone { op: Rmw, ordering: Acquire",
                named: "SURVIVOR Clone can be Relaxed",
            },
        ],
    },
    Primitive {
        name: "oneshot",
        says: &["send_vs_wait", "drop_vs_wait", "6 weakenings: 6 killed, 0 survived"],
        plants: &[
            Plant {
                from: "op: Rmw, ordering: Acquire, serves",
                to: "op: Rmw, ordering: Relaxed, serves",
                named: "send_vs_wait (graph): broken: race: race on the value",
            },
            Plant {
                from: "Poll { op: Load, ordering: Acquire",
                to: "Poll { op: Load, ordering: SeqCst",
                named: "SURVIVOR Poll can be Acquire",
            },
        ],
    },
];

/// That of the workspace, so that dependencies which it has built are used again. The audits are small.
const PROFILE: &str = "\n[profile.dev]\nopt-level = 1\ndebug = \"line-tables-only\"\n\n\
    [profile.dev.package.\"*\"]\nopt-level = 3\n\n[profile.dev.package.weakest]\nopt-level = 1\n\n\
    [profile.dev.package.weakest-audit]\nopt-level = 1\n";

/// Audits each primitive as it is, then with each plant.
pub(crate) fn primitives() -> Outcome {
    let root = rescind_models::root();
    let workspace = root.join("target/primitives");
    for Primitive { name, .. } in PRIMITIVES {
        copy(&root, &root.join("audit/primitives").join(name), &workspace.join(name))?;
    }
    let members: Vec<_> = PRIMITIVES.iter().map(|primitive| primitive.name).collect();
    write(&workspace.join("Cargo.toml"), &format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n{PROFILE}"))?;
    // The versions of here; cargo adds the primitives themselves.
    write(&workspace.join("Cargo.lock"), &read(&root.join("Cargo.lock"))?)?;
    for primitive in PRIMITIVES {
        audit_all(&workspace, primitive)?;
    }
    Ok(())
}

fn audit_all(workspace: &Path, &Primitive { name, says, plants }: &Primitive) -> Outcome {
    let start = Instant::now();
    let (code, said) = audit(workspace, name, &[])?;
    if code != Some(0) || says.iter().any(|text| !said.contains(text)) {
        return Err(format!("{name} as it is: exit code {code:?}, and not {says:?}:\n{said}"));
    }
    println!("{name}: every ordering is needed ({:.1} s)", start.elapsed().as_secs_f64());
    let page = read(&rescind_models::root().join("audit/AUDIT-YOUR-PRIMITIVE.md"))?;
    let (as_it_is, mut planted): (Vec<_>, Vec<_>) =
        page::shown(&page, name).into_iter().partition(|shown| shown.arguments.is_some());
    for shown in as_it_is {
        let (_, said) = audit(workspace, name, shown.arguments.as_deref().unwrap_or_default())?;
        if let Some(line) = shown.missing(&said) {
            return Err(format!("the page shows `{line}`, and the audit of {name} says:\n{said}"));
        }
    }
    let source = workspace.join(name).join("src/lib.rs");
    let text = read(&source)?;
    for Plant { from, to, named } in plants {
        if text.matches(from).count() != 1 {
            return Err(format!("{name} does not hold this once: {from}"));
        }
        write(&source, &text.replacen(from, to, 1))?;
        let (code, said) = audit(workspace, name, &[])?;
        planted.retain(|shown| shown.missing(&said).is_some());
        if code != Some(1) || !said.contains(named) {
            return Err(format!("{name} with `{to}`: exit code {code:?}, and not `{named}`:\n{said}"));
        }
        println!("{name} with `{to}`: {named}");
    }
    if let Some(shown) = planted.first() {
        return Err(format!("the page shows {shown:?}, and the audit of {name} says it with no plant"));
    }
    write(&source, &text)
}

/// Copies a crate into the workspace: its dependencies here get absolute paths.
fn copy(root: &Path, from: &Path, to: &Path) -> Outcome {
    for entry in WalkDir::new(from).into_iter().filter_entry(|entry| entry.file_name() != "target") {
        let entry = entry.map_err(|e| e.to_string())?;
        let place = entry.path().strip_prefix(from).map_err(|e| e.to_string())?;
        if !entry.file_type().is_file() || place == Path::new("Cargo.lock") {
            continue;
        }
        let mut text = read(entry.path())?;
        if place == Path::new("Cargo.toml") {
            let absolute = |folder: &str| format!("path = {:?}", root.join(folder));
            text = text.replace("[workspace]\n", "");
            text = text.replace("path = \"../../../weakest\"", &absolute("weakest"));
            text = text.replace("path = \"../..\"", &absolute("audit"));
        }
        write(&to.join(place), &text)?;
    }
    Ok(())
}

fn audit(workspace: &Path, name: &str, arguments: &[String]) -> Result<(Option<i32>, String), String> {
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--quiet", "-p", name, "--example", "audit", "--"]).args(arguments).current_dir(workspace);
    cargo.env("CARGO_TARGET_DIR", rescind_models::root().join("target"));
    let output = cargo.output().map_err(|e| format!("cargo cannot be run: {e}"))?;
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok((output.status.code(), said.concat()))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

fn write(path: &Path, text: &str) -> Outcome {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).and_then(|()| fs::write(path, text)).map_err(|e| format!("{}: {e}", path.display()))
}
