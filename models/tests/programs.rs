//! The smallest programs over the token, all of them; `audit programs` explores larger ones.

use rescind::sites::Site;
use rescind_models::programs::{Token, against_the_oracle};
use rescind_proptests::threads::given::End;
use weakest::Site as _;
use weakest::graph::Graph;
use weakest::model::{Budget, End as Ended, Mutation, with_mutation};
use weakest::programs::{Alphabet, Effort, Flow, Record, Shard, Size, enumerate, explore, is_sound, parse, sweep};

const EACH: Budget = Budget { preemptions: None, executions: 1_000_000, events: Some(10_000), time: None };

fn size(threads: usize, operations: usize, set_up: usize) -> Size {
    Size { threads, operations, set_up }
}

/// Explores all programs of a size, or those of one part.
fn all(token: &Token, size: Size, shard: Shard) -> Record {
    let mut record = Record::new(token.version(), size, shard);
    let effort = Effort { each: EACH, time: None, failures: 1 };
    sweep::<_, Graph>(token, &mut record, &effort, |_| true);
    let fault = record.failures.first();
    let text = fault.map_or_else(String::new, |failure| {
        let program = parse(token, &failure.program).expect("it was one");
        explore::<_, Graph>(token, &program, &EACH).trace
    });
    assert!(fault.is_none() && record.undecided.is_empty(), "{record:#?}\n{text}");
    assert!(record.finished && record.programs > 0, "{record:#?}");
    record
}

#[test]
fn one_thread_breaks_no_rule() {
    for end in End::ALL {
        all(&Token { end }, size(1, 1, 0), Shard::WHOLE);
        all(&Token { end }, size(1, 2, 0), Shard::WHOLE);
    }
}

#[test]
fn one_thread_is_told_what_the_oracle_says() {
    let token = Token { end: End::OldestFirst };
    let (compared, differs) = against_the_oracle(&token, size(1, 2, 0), Shard::WHOLE);
    assert_eq!((compared, differs), (2_063, None));
}

#[test]
fn two_threads_with_an_operation_each_break_no_rule() {
    for end in End::ALL {
        all(&Token { end }, size(2, 1, 0), Shard::WHOLE);
    }
}

/// One program of each hundred or so after a set-up, another one for each order of drops.
#[test]
fn some_programs_after_a_set_up_break_no_rule() {
    for (part, end) in (0..).zip(End::ALL) {
        all(&Token { end }, size(2, 1, 1), Shard { part, of: 199 });
    }
}

#[test]
fn a_lock_that_orders_nothing_is_found() {
    let token = Token { end: End::OldestFirst };
    let weaker =
        Mutation { subject: "rescind", index: Site::LockAcquire.index(), to: Some(weakest::Ordering::Relaxed) };
    let text = "leave t1 nothing || cancel h0 || leave t1 nothing";
    let program = parse(&token, text).expect("it is a program");
    assert_eq!(explore::<_, Graph>(&token, &program, &EACH).end, Ended::Complete);
    let found = with_mutation(Some(weaker), || explore::<_, Graph>(&token, &program, &EACH));
    assert!(matches!(found.end, Ended::Violated(_)), "{found:?}");
}

#[test]
fn every_program_is_sound_and_is_read_as_it_is_written() {
    let token = Token { end: End::OldestFirst };
    let mut seen = 0_u64;
    enumerate(&token, size(2, 1, 1), |place, program| {
        if place % 97 == 0 {
            let program = program();
            assert!(is_sound(&token, &program), "{program}");
            assert_eq!(parse(&token, &program.to_string()), Some(program));
            seen += 1;
        }
        Flow::On
    });
    assert!(seen > 100, "{seen}");
}

/// A size of which there is nothing would pass for nothing.
#[test]
fn a_size_that_means_nothing_is_refused() {
    for arguments in [
        &["--threads", "0"][..],
        &["--threads", "99"],
        &["--operations", "0"],
        &["--threads", "4", "--operations", "6"],
        &["--prefix", "4"],
        &["--failures", "0"],
        &["--seconds", "nan"],
        &["--seconds=-1"],
        &["--shard", "3/2"],
        &["--program", "no such letter"],
    ] {
        let mut audit = std::process::Command::new(env!("CARGO_BIN_EXE_audit"));
        let output = audit.arg("programs").args(arguments).output().expect("the audit runs");
        assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.starts_with("error: ") && !said.contains("panicked"), "{arguments:?}: {said}");
    }
}
