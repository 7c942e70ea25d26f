//! What `AArch64` orders by dependency around a read-modify-write: one instruction or a pair of exclusives.
//!
//! The expected answers are herd7 7.58's, with the `AArch64` model it ships.

use weakest::graph::program::{
    Action, Guard, Instruction, Location, MemoryOrder, Observable, Observed, Program, Update,
};
use weakest::graph::reference::{Model, enumerate};

use MemoryOrder::{AcqRel, Acquire, Relaxed, SeqCst};
use Update::{Add, Exchange};

const DATA: usize = 0;
const FLAG: usize = 1;
const OTHER: usize = 2;

const fn read(location: usize) -> Instruction {
    Instruction::new(Action::Read { location, order: Relaxed })
}

const fn write(location: usize, value: i64) -> Instruction {
    Instruction::new(Action::Write { location, order: Relaxed, value })
}

const fn update(location: usize, order: MemoryOrder, update: Update) -> Instruction {
    Instruction::new(Action::ReadModifyWrite { location, order, update })
}

const fn compare(expected: i64, new: i64) -> Update {
    Update::CompareExchange { expected, new, failure: Relaxed, weak: false }
}

/// Whether `aarch64-lse` and `aarch64-llsc` allow `reader`, which runs beside a thread that writes the data, then (with a
/// full fence between) the flag, to see what `seen` says of its reads.
fn allowed(reader: Vec<Instruction>, seen: &[(usize, Option<i64>)]) -> (bool, bool) {
    asked(reader, |observe| {
        seen.iter().all(|&(read, value)| observe(Observable::Register { thread: 1, read }).in_table() == value)
    })
}

/// The same for any question.
fn asked(reader: Vec<Instruction>, question: impl Fn(&dyn Fn(Observable) -> Observed) -> bool) -> (bool, bool) {
    let fence = Instruction::new(Action::Fence { order: SeqCst });
    let program = Program {
        locations: ["data", "flag", "other"].map(|name| Location { name: name.to_owned(), init: 0 }).into(),
        threads: vec![vec![write(DATA, 1), fence, write(FLAG, 1)], reader],
        observables: Vec::new(),
    };
    let found = enumerate(&program, &[Model::Aarch64Lse, Model::Aarch64Llsc], question).expect("few events");
    (found.allowed[0].answer, found.allowed[1].answer)
}

/// The written value depends on the flag; the read of the same read-modify-write does not, and what it orders does not.
#[test]
pub(crate) fn a_written_value_delays_only_the_write() {
    let reader = |order, change| {
        let dependent = Instruction { data: Some(0), ..update(OTHER, order, change) };
        vec![read(FLAG), dependent, read(DATA)]
    };
    let stale = [(0, Some(1)), (2, Some(0))];
    for change in [Exchange(2), Add(2), compare(0, 2)] {
        assert_eq!(allowed(reader(Acquire, change), &stale), (true, true), "{change:?}");
        // With both orders one instruction is a full barrier; a pair of exclusives is not.
        assert_eq!(allowed(reader(AcqRel, change), &stale), (false, true), "{change:?}");
    }
    let by_result = |change| {
        let dependent = Instruction { data: Some(0), ..update(OTHER, Relaxed, change) };
        vec![read(FLAG), dependent, Instruction { address: Some(1), ..read(DATA) }]
    };
    assert_eq!(allowed(by_result(Exchange(2)), &stale), (true, true));
    // One that fails writes nothing.
    let failing = Instruction { data: Some(0), ..update(DATA, Relaxed, compare(5, 2)) };
    assert_eq!(allowed(vec![read(FLAG), failing], &[(0, Some(1)), (1, None)]), (true, true));
}

/// An address delays both.
#[test]
pub(crate) fn an_address_delays_the_read_too() {
    let dependent = Instruction { address: Some(0), ..update(OTHER, Acquire, Exchange(2)) };
    assert_eq!(allowed(vec![read(FLAG), dependent, read(DATA)], &[(0, Some(1)), (2, Some(0))]), (false, false));
    let on_the_result = |change| vec![update(FLAG, Relaxed, change), Instruction { address: Some(0), ..read(DATA) }];
    assert_eq!(allowed(on_the_result(Exchange(2)), &[(0, Some(1)), (1, Some(0))]), (false, false));
    assert_eq!(allowed(on_the_result(Add(1)), &[(0, Some(1)), (1, Some(0))]), (false, false));
}

/// The result of one instruction that succeeds is what it expected: it delays writes, not reads.
#[test]
pub(crate) fn a_compare_exchange_that_succeeds_delays_only_writes() {
    let passed_on = |last| vec![update(FLAG, Relaxed, compare(1, 2)), Instruction { address: Some(0), ..last }];
    assert_eq!(allowed(passed_on(read(DATA)), &[(0, Some(1)), (1, Some(0))]), (true, false));
    // A failing one leaves what it loaded.
    let failing = vec![update(FLAG, Relaxed, compare(5, 2)), Instruction { address: Some(0), ..read(DATA) }];
    let seen = |observe: &dyn Fn(Observable) -> Observed| {
        let register = |read| observe(Observable::Register { thread: 1, read });
        (register(0), register(1)) == (Observed::Failed(1), Observed::Value(0))
    };
    assert_eq!(asked(failing, seen), (false, false));
    // A write after a read that acquires what was stored with the result is delayed too.
    let acquired = vec![
        update(FLAG, Relaxed, compare(1, 2)),
        Instruction { data: Some(0), ..write(OTHER, 1) },
        Instruction::new(Action::Read { location: OTHER, order: Acquire }),
        write(DATA, 2),
    ];
    let last = |observe: &dyn Fn(Observable) -> Observed| {
        let result = observe(Observable::Register { thread: 1, read: 0 });
        (result, observe(Observable::Final(DATA))) == (Observed::Value(1), Observed::Value(1))
    };
    assert_eq!(asked(acquired, last), (false, false));
}

/// What is loaded after a store that depends on a value depends on that value, also inside one addition.
#[test]
pub(crate) fn a_dependency_goes_through_memory() {
    let again =
        |order, change, last| vec![update(FLAG, order, change), read(FLAG), Instruction { address: Some(1), ..last }];
    let stale = [(0, Some(1)), (2, Some(0))];
    assert_eq!(allowed(again(Relaxed, Add(1), read(DATA)), &stale), (false, false));
    assert_eq!(allowed(again(Relaxed, Exchange(2), read(DATA)), &stale), (true, true));
    assert_eq!(allowed(again(Relaxed, compare(1, 2), read(DATA)), &stale), (true, true));
}

/// An acquiring read of what a read-modify-write of its thread stored comes after what that loaded, not after the store.
#[test]
pub(crate) fn an_acquiring_read_of_a_stored_value_waits_for_the_load() {
    let acquiring = Instruction::new(Action::Read { location: OTHER, order: Acquire });
    let guarded = Instruction { guard: Some(Guard { read: 0, value: 1 }), ..update(OTHER, Relaxed, Exchange(2)) };
    let reader = vec![read(FLAG), guarded, acquiring, read(DATA)];
    assert_eq!(allowed(reader, &[(0, Some(1)), (2, Some(2)), (3, Some(0))]), (true, true));
    let reread = Instruction::new(Action::Read { location: FLAG, order: Acquire });
    let reader = vec![update(FLAG, Relaxed, Exchange(2)), reread, read(DATA)];
    assert_eq!(allowed(reader, &[(0, Some(1)), (1, Some(2)), (2, Some(0))]), (false, false));
}

/// One instruction that fails may store what it loaded, and the next read of its thread may see that early; what acquires
/// does not.
#[test]
pub(crate) fn a_compare_exchange_that_fails_may_store_what_it_loaded() {
    let again = |order| {
        let reread = Instruction::new(Action::Read { location: FLAG, order });
        vec![update(FLAG, Relaxed, compare(5, 2)), reread, Instruction { address: Some(1), ..read(DATA) }]
    };
    let stale = [(0, None), (1, Some(1)), (2, Some(0))];
    assert_eq!(allowed(again(Relaxed), &stale), (true, false));
    assert_eq!(allowed(again(Acquire), &stale), (false, false));
}
