//! The enumeration, on an alphabet of which everything can be counted by hand.

use std::collections::BTreeSet;
use std::fmt;

use weakest::programs::{Alphabet, Flow, Hold, Object, Objects, Size, enumerate, parse, worlds};

/// Boxes are made, looked at, changed, and thrown away by their owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Letter {
    Make,
    Look(Object),
    Change(Object),
    Throw(Object),
    Pair(Object, Object),
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

struct Boxes {
    pairs: bool,
}

impl Alphabet for Boxes {
    type Letter = Letter;

    fn version(&self) -> String {
        "boxes".to_owned()
    }

    fn set_up(&self, objects: &Objects) -> Vec<Letter> {
        let pairs = objects.of(0).flat_map(|a| objects.of(0).map(move |b| Letter::Pair(a, b)));
        let pairs = pairs.filter(|pair| self.pairs && !matches!(pair, Letter::Pair(a, b) if a >= b));
        [Letter::Make].into_iter().chain(pairs).collect()
    }

    fn letters(&self, objects: &Objects) -> Vec<Letter> {
        objects.of(0).flat_map(|object| [Letter::Look(object), Letter::Change(object), Letter::Throw(object)]).collect()
    }

    fn uses(&self, letter: &Letter) -> Vec<(Object, Hold)> {
        match *letter {
            Letter::Make => vec![],
            Letter::Look(object) | Letter::Change(object) => vec![(object, Hold::Shared)],
            Letter::Throw(object) => vec![(object, Hold::Own)],
            Letter::Pair(a, b) => vec![(a, Hold::Shared), (b, Hold::Shared)],
        }
    }

    fn apply(&self, letter: &Letter, objects: &mut Objects) {
        match *letter {
            Letter::Make => _ = objects.make(0, 0, &[]),
            Letter::Throw(object) => objects.end(object),
            Letter::Pair(a, b) => _ = objects.make(1, 0, &[a, b]),
            Letter::Look(_) | Letter::Change(_) => {}
        }
    }

    fn renamed(&self, letter: &Letter, name: &dyn Fn(Object) -> Object) -> Letter {
        match *letter {
            Letter::Make => Letter::Make,
            Letter::Look(object) => Letter::Look(name(object)),
            Letter::Change(object) => Letter::Change(name(object)),
            Letter::Throw(object) => Letter::Throw(name(object)),
            Letter::Pair(a, b) => Letter::Pair(name(a).min(name(b)), name(a).max(name(b))),
        }
    }

    fn only_reads(&self, letter: &Letter) -> bool {
        matches!(letter, Letter::Look(_))
    }
}

fn all(boxes: &Boxes, threads: usize, operations: usize, set_up: usize) -> (weakest::programs::Counts, Vec<String>) {
    let mut texts = Vec::new();
    let counts = enumerate(boxes, Size { threads, operations, set_up }, |place, program| {
        assert_eq!(place, texts.len() as u64);
        let program = program();
        let text = program.to_string();
        assert_eq!(parse(boxes, &text), Some(program));
        texts.push(text);
        Flow::On
    });
    (counts, texts)
}

#[test]
fn two_threads_on_one_box() {
    let (counts, texts) = all(&Boxes { pairs: false }, 2, 1, 1);
    // Nine pairs of letters, less the five in which one throws away what the other one uses.
    assert_eq!((counts.worlds, counts.all, counts.distinct), (1, 4, 3));
    // Two that look do not see each other.
    assert_eq!((counts.apart, counts.idle, counts.left), (1, 0, 2));
    assert_eq!(texts, ["Make || Look(0) || Change(0)", "Make || Change(0) || Change(0)"]);
}

#[test]
fn two_threads_on_two_boxes_that_are_alike() {
    let (counts, texts) = all(&Boxes { pairs: false }, 2, 1, 2);
    assert_eq!(counts.worlds, 1);
    // On one box 4, on the other 4, on both 18.
    assert_eq!(counts.all, 26);
    // The boxes' names count for nothing: 3 on one; one on each: 6.
    assert_eq!(counts.distinct, 9);
    // Each on its own: apart; and of those on one box, two that look.
    assert_eq!((counts.apart, counts.idle, counts.left), (7, 2, 0));
    assert!(texts.is_empty());
}

#[test]
fn what_is_paired_has_to_do_with_each_other() {
    let (counts, texts) = all(&Boxes { pairs: true }, 2, 1, 3);
    let texts: BTreeSet<_> = texts.into_iter().collect();
    assert_eq!(worlds(&Boxes { pairs: true }, 3).len(), 2, "three boxes, or two and a pair");
    assert!(texts.contains("Make; Make; Pair(0, 1) || Change(0) || Change(1)"), "{texts:?}");
    assert!(!texts.contains("Make; Make; Pair(0, 1) || Change(1) || Change(1)"), "the same by other names");
    assert!(!texts.contains("Make; Make; Pair(0, 1) || Look(0) || Look(1)"));
    assert_eq!(counts.left, texts.len() as u64);
}

#[test]
fn an_operation_after_another_one_finds_what_that_left() {
    let (_, texts) = all(&Boxes { pairs: false }, 1, 2, 1);
    assert_eq!(texts.len(), 6);
    assert!(texts.iter().all(|text| !text.contains("Throw(0);")), "{texts:?}");
}
