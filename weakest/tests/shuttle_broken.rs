//! Each kind of violation that shuttle can see, found on a primitive that is broken in just that way, and its replay.

mod common;

use common::{At, bare, broken, explore};
use weakest::model::{End, Kind, Limit};
use weakest::shuttle::{Schedules, Shuttle};

/// Explores, expects a violation, returns it.
fn violation(body: fn() -> String) -> (Kind, String, String) {
    match explore::<Shuttle>(body).end {
        End::Violated(v) => (v.kind, v.rule, v.message),
        end => panic!("expected a violation, got {end:?}"),
    }
}

fn found(kind: Kind, rule: &str, message: &str) -> (Kind, String, String) {
    (kind, rule.to_owned(), message.to_owned())
}

fn passes(body: fn() -> String) {
    assert_eq!(explore::<Shuttle>(body).end, End::Complete);
}

#[test]
fn race_on_a_cell() {
    assert_eq!(violation(broken::race::<Shuttle>), found(Kind::Race, "G1", "race on the data"));
}

#[test]
fn publication_passes_with_any_ordering_for_every_access_is_seqcst() {
    passes(|| broken::publish::<Shuttle>(At::StoreRelaxed, At::LoadRelaxed));
    passes(|| broken::publish::<Shuttle>(At::StoreRelease, At::LoadAcquire));
}

#[test]
fn leak() {
    assert_eq!(violation(broken::leak::<Shuttle>), found(Kind::Leak, "lifetime", "u64 is never released"));
}

#[test]
fn use_after_free() {
    let expected = found(Kind::UseAfterFree, "lifetime", "u64 is used after its release");
    assert_eq!(violation(broken::use_after_free::<Shuttle>), expected);
}

#[test]
fn double_free() {
    assert_eq!(violation(broken::double_free::<Shuttle>), found(Kind::DoubleFree, "lifetime", "u64 is released twice"));
}

#[test]
fn last_drop_passes_with_any_ordering_for_every_access_is_seqcst() {
    passes(|| broken::last_drop::<Shuttle>(At::RmwRelaxed));
}

#[test]
fn deadlock() {
    let message = "nothing can end this: main waits at LoadRelaxed, thread 1 waits at LoadRelaxed";
    assert_eq!(violation(broken::deadlock::<Shuttle>), found(Kind::Stuck, "STUCK", message));
}

#[test]
fn endless_wait() {
    let expected = found(Kind::Stuck, "STUCK", "nothing can end this: main waits at LoadAcquire");
    assert_eq!(violation(broken::endless_wait::<Shuttle>), expected);
}

#[test]
fn endless_park() {
    let expected = found(Kind::Stuck, "STUCK", "nothing can end this: main is parked");
    assert_eq!(violation(broken::endless_park::<Shuttle>), expected);
}

#[test]
fn lost_wake_up() {
    let expected = found(Kind::Stuck, "STUCK", "nothing can end this: main is parked");
    assert_eq!(violation(broken::lost_wake_up::<Shuttle>), expected);
}

#[test]
fn broken_rule() {
    assert_eq!(violation(broken::broken_rule::<Shuttle>), found(Kind::Rule, "R2", "two winners"));
}

#[test]
fn uncaught_panic() {
    let (kind, rule, message) = violation(broken::panics::<Shuttle>);
    assert_eq!((kind, rule.as_str()), (Kind::Panic, ""));
    assert!(message.starts_with("panic: out of cheese (") && message.contains("broken.rs:"), "{message}");
}

#[test]
fn a_failing_schedule_replays() {
    for schedules in
        [Schedules::Random { seed: 7, executions: 1000 }, Schedules::Pct { seed: 7, depth: 3, executions: 1000 }]
    {
        let run = |schedules| Shuttle::explore_schedules(&schedules, "STUCK", broken::deadlock::<Shuttle>);
        let first = run(schedules).expect("valid");
        assert!(matches!(first.end, End::Violated(_)), "{first:?}");
        let again = run(Schedules::Replay(first.schedule)).expect("valid");
        assert_eq!((again.end, again.executions), (first.end, 1));
    }
}

#[test]
fn every_operation_of_the_facade_does_what_it_says() {
    common::facade::check::<Shuttle>();
}

#[test]
fn outside_of_an_exploration_every_operation_is_refused() {
    common::outside::check::<Shuttle>("shuttle");
    common::outside::check_nested::<Shuttle>();
}

#[test]
fn a_bound_is_no_verdict() {
    common::check_bounds::<Shuttle>();
}

#[test]
fn a_schedule_of_another_program_is_no_pass() {
    let replay = Schedules::Replay("0.3.1".to_owned());
    let run = Shuttle::explore_schedules(&replay, "STUCK", broken::deadlock::<Shuttle>).expect("well-formed");
    let why = "the schedule ended before the execution".to_owned();
    assert_eq!(run.end, End::Exhausted(Limit::Explorer(why)));
}

#[test]
fn trace_of_a_deadlock() {
    let expected = "\
main | thread 1
spawns thread 1 |
CasSuccessAcquire: a0 = 0 := 1 Acquire |
 | CasSuccessAcquire: a1 = 0 := 1 Acquire
CasFailureRelaxed: a1 = 1 Relaxed |
waits at LoadRelaxed |
 | CasFailureRelaxed: a0 = 1 Relaxed
 | waits at LoadRelaxed
STUCK: nothing can end this: main waits at LoadRelaxed, thread 1 waits at LoadRelaxed
";
    assert_eq!(bare(&explore::<Shuttle>(broken::deadlock::<Shuttle>).trace, "broken.rs"), expected);
}
