//! `cargo weakest replay`: one failing execution once more.

use std::path::Path;

use weakest::model::name_of;
use weakest_audit::exit::{Exit, Failure};
use weakest_audit::files;

use crate::args;
use crate::compile::Binary;
use crate::harness::{Asked, Harness, Test, variables};
use crate::kept::{self, Kept};
use crate::package;
use crate::source::Sources;

pub(crate) fn replay(args: &args::Replay) -> Result<Exit, Failure> {
    let workspace = package::workspace(args.manifest_path.as_deref())?;
    let Some(id) = &args.id else {
        for (id, kept) in kept::all(&workspace) {
            match kept {
                Ok(kept) => say!("{id}  {}: {}", kept.test, kept.violation),
                Err(Failure::Usage(why) | Failure::Io(why)) => say!("{id}  {why}"),
            }
        }
        return Ok(Exit::Clean);
    };
    args.dot.as_deref().map_or(Ok(()), files::check_writable)?;
    let _lock = workspace.lock()?;
    let kept = kept::find(&workspace, id)?;
    let records = workspace.own().join("records");
    std::fs::create_dir_all(&records)?;
    let harness = Harness { folder: kept.folder.clone(), records, seconds: 60, jobs: 1 };
    let binary = Binary { name: kept.target.clone(), program: kept.program.clone() };
    let test = Test { binary, name: kept.test.clone() };
    let asked = Asked { change: kept.change.as_ref(), replay: Some(&kept.replay) };
    let run = harness.run(&test, &asked)?;
    let found = run.found.iter().find(|found| found.violation.is_some());
    let Some(found) = found else {
        return Err(Failure::Io(format!("`{id}` does not fail this time: {}", run.message)));
    };
    head(&kept);
    say!("\n{}", found.trace);
    let sources = Sources::new(&kept.source);
    for (place, line) in sources.named_in(&found.trace) {
        say!("{place}  {line}");
    }
    say!("\n{}", found.violation.as_deref().unwrap_or_default());
    debugger(&kept, &asked);
    if let Some(file) = &args.dot {
        files::write_text(file, &found.drawing)?;
    }
    Ok(Exit::Found)
}

fn head(kept: &Kept) {
    say!("{} of {}", kept.test, kept.target);
    if let Some(change) = &kept.change {
        say!("{} is {}", change.spot, name_of(change.to));
    }
}

/// How to look at it in a debugger.
fn debugger(kept: &Kept, asked: &Asked<'_>) {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let variables: Vec<_> = variables(asked).iter().map(|(name, text)| format!("{name}={}", quoted(text))).collect();
    let program = |path: &Path| quoted(&path.to_string_lossy());
    say!("\nunder a debugger:");
    say!(
        "  cd {} && {} gdb --args {} --exact {} --nocapture --include-ignored",
        program(&kept.folder),
        variables.join(" "),
        program(&kept.program),
        quoted(&kept.test)
    );
}
