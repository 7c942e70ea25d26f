//! A failing execution as data: what a page that draws it believes.

use crate::common::{At, broken};
use crate::violations::replays;
use weakest::graph::Graph;
use weakest::model::{Picture, RelationKind, check};

#[test]
fn a_picture_says_what_happened_before_what() {
    let Picture { threads, rows, relations } =
        replays(|| broken::publish::<Graph>(At::StoreRelaxed, At::LoadAcquire)).picture;
    let wrong: Vec<_> = relations.iter().filter(|relation| relation.kind == RelationKind::Wrong).collect();
    let [race] = *wrong else { panic!("one race: {relations:?}") };
    let before = |from: usize, to: usize| rows[from].events <= rows[to].knows[rows[from].thread];
    assert!(!before(race.from, race.to), "a race is not ordered: {rows:?}");
    assert!(rows[race.from].wrong && rows[race.to].wrong, "{rows:?}");
    let read = relations.iter().find(|relation| relation.kind == RelationKind::ReadsFrom).expect("the flag is read");
    assert!(!before(read.from, read.to), "a relaxed store releases nothing: {rows:?}");
    assert!(rows[read.from].place.as_ref().is_some_and(|(file, line)| file.ends_with(".rs") && *line > 0), "{rows:?}");
    let started: Vec<_> = relations.iter().filter(|relation| relation.kind == RelationKind::Thread).collect();
    assert!(!started.is_empty() && started.iter().all(|relation| before(relation.from, relation.to)), "{rows:?}");
    assert!(rows.iter().all(|row| row.thread < threads && row.knows.len() == threads), "{rows:?}");
}

#[test]
fn a_picture_tells_an_acquire_of_a_release() {
    let failed = replays(|| {
        let seen = broken::publish::<Graph>(At::StoreRelease, At::LoadAcquire);
        check("RULE", seen == "-", "the message is seen");
        seen
    });
    let Picture { rows, relations, .. } = failed.picture;
    let found = relations.iter().find(|relation| relation.kind == RelationKind::SynchronizesWith);
    let found = found.unwrap_or_else(|| panic!("the flag is passed on: {rows:?} {relations:?}"));
    assert!(rows[found.from].events <= rows[found.to].knows[rows[found.from].thread], "{rows:?}");
}
