//! What the chapter says of .NET's fences and of the pairs stands: a slice of its runs.

use std::collections::BTreeSet;

use rescind_dotnet_protocol::chapter;
use rescind_dotnet_protocol::litmus::{MODELS, PAIRS};
use rescind_dotnet_protocol::minima::all_broken;
use rescind_dotnet_protocol::subjects::{Trial, all};
use weakest::Op;
use weakest::graph::reference::Model;
use weakest_audit::lowering::{Lowering, Table, own};

fn trial(name: &str) -> Trial {
    all().into_iter().find(|trial| trial.name == name).expect("a dialect")
}

/// .NET's table without these fences.
fn without(trial: &Trial, is_removed: impl Fn(&str) -> bool) -> Table {
    let rows = trial.subject.rows;
    let keep =
        |(row, ordering): (&weakest::Row, _)| if row.op == Op::Fence && is_removed(row.name) { None } else { ordering };
    rows.iter().zip(own(&trial.subject)).map(keep).collect()
}

/// The rules that `table` breaks; each execution that shows one can be run again.
fn broken(trial: &Trial, table: &Table) -> Vec<String> {
    let found = all_broken(trial, &Lowering::of(&trial.subject), table);
    for broken in &found {
        assert!(broken.replays(&trial.subject, table), "{broken:?}");
    }
    let rules: BTreeSet<_> = found.iter().filter_map(|broken| broken.what.split(':').next()).collect();
    rules.into_iter().map(str::to_owned).collect()
}

#[test]
fn three_fences_are_needed_alone_and_one_at_the_lock() {
    let dotnet = trial("dotnet");
    for (fence, rules) in [
        ("RequestAfter", &["DISARM", "R13"][..]),
        ("PublishEventAfter", &["R13"]),
        ("PublishTimerAfter", &["DISARM"]),
        ("LockEnterBefore", &[]),
        ("LockEnterAfter", &[]),
    ] {
        assert_eq!(broken(&dotnet, &without(&dotnet, |name| name == fence)), rules, "without {fence}");
    }
    assert_eq!(broken(&dotnet, &without(&dotnet, |name| name.starts_with("LockEnter"))), ["G3"]);
}

#[test]
fn four_of_sixteen_fences_are_enough() {
    let dotnet = trial("dotnet");
    let kept = ["RequestAfter", "LockEnterAfter", "PublishEventAfter", "PublishTimerAfter"];
    assert_eq!(dotnet.subject.rows.iter().filter(|row| row.op == Op::Fence).count(), 16);
    assert_eq!(broken(&dotnet, &without(&dotnet, |name| !kept.contains(&name))), [""; 0]);
    // Without any, SeqCst at the read-modify-writes is left: it is not enough.
    assert_eq!(broken(&dotnet, &without(&dotnet, |_| true)), ["DISARM", "G3", "R13"]);
}

#[test]
fn a_store_and_a_load_of_another_location_want_a_fence_but_not_everywhere() {
    let event = PAIRS.iter().find(|pair| pair.name == "event").expect("a pair");
    let of = |dialect: &str, model: Model| {
        let place = MODELS.iter().position(|&other| other == model).expect("a model");
        event.holds(&trial(dialect).table)[place]
    };
    assert_eq!(
        ["dotnet", "volatile", "seqcst-rmw", "seqcst"].map(|dialect| of(dialect, Model::Rc11)),
        [Some(true), Some(false), Some(false), Some(true)]
    );
    // Every read-modify-write is a full fence there, and in .NET's model.
    assert_eq!(of("volatile", Model::X86Tso), Some(true));
    assert_eq!(of("volatile", Model::Dotnet), Some(true));
    // A store-exclusive that releases is not ordered with a later `ldapr`.
    assert_eq!(of("volatile", Model::Aarch64LlscRcpc), Some(false));
}

#[test]
fn no_line_of_the_chapter_is_too_long() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(chapter::FILE);
    let text = std::fs::read_to_string(file).expect("the chapter is committed");
    let long: Vec<_> = text.lines().filter(|line| line.chars().count() >= 200).collect();
    assert_eq!(long, [""; 0]);
    assert!(text.contains("Does the literal exchange in `cancel` matter?"));
}
