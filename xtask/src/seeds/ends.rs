//! Bugs of what begins or ends with the request or with the last handle: causes, timers, upgrades.

use super::Change::Edit;
use super::Judge::Scenario;
use super::Seed;

/// No bug that anybody shipped.
const SEEN: &str = "nobody's yet";

pub(super) const SEEDS: &[Seed] = &[
    Seed {
        seen: "this crate, before its first release",
        wrong: "a request leaves the timer to the last source handle",
        change: Edit(&[(
            "notify/request.rs",
            "    let timer = timer::retire(&mut locked);\n",
            "    let timer: Option<Retired<P>> = None;\n",
        )]),
        found_by: Scenario("cancel_after_vs_cancel_of_a_timer"),
    },
    Seed {
        seen: SEEN,
        wrong: "a timer that is in use when the request comes is ended by nobody",
        change: Edit(&[("timer.rs", "    if is_last { Retired", "    if is_last && false { Retired")]),
        found_by: Scenario("cancel_after_vs_cancel_of_a_timer"),
    },
    Seed {
        seen: SEEN,
        wrong: "a request ends a timer that is in use",
        change: Edit(&[("timer.rs", "    (!has_users).then_some(", "    (!has_users || true).then_some(")]),
        found_by: Scenario("cancel_after_vs_cancel_of_a_timer"),
    },
    Seed {
        seen: SEEN,
        wrong: "the last source handle goes without a look at who may upgrade",
        change: Edit(&[("handle.rs", "self.source_count() != 1 &&", "self.source_count() & !WEAK != 1 &&")]),
        found_by: Scenario("upgrade_vs_drop_of_source"),
    },
    Seed {
        seen: SEEN,
        wrong: "a source that is gone is upgraded",
        change: Edit(&[("handle.rs", "        while seen & !WEAK != 0 {\n", "        while seen != 0 {\n")]),
        found_by: Scenario("upgrade_vs_drop_of_source"),
    },
    Seed {
        seen: SEEN,
        wrong: "an upgrade that another one overtakes gives a handle that is not counted",
        change: Edit(&[(
            "handle.rs",
            "                Err(now) => seen = now,\n",
            "                Err(_) => return true,\n",
        )]),
        found_by: Scenario("upgrade_vs_upgrade_vs_drop_of_source"),
    },
    Seed {
        seen: SEEN,
        wrong: "the cause is set after the request",
        change: Edit(&[(
            "notify/request.rs",
            "    spare.attach(&mut locked);\n    locked.set(cause.bits());\n",
            "    locked.set(crate::shared::CANCELLED);\n\
             \x20   drop(locked);\n\
             \x20   let mut locked = source.lock(Seen::CANCELLED);\n\
             \x20   spare.attach(&mut locked);\n\
             \x20   locked.set(cause.bits());\n",
        )]),
        found_by: Scenario("cancel_because_vs_cause"),
    },
    Seed {
        seen: SEEN,
        wrong: "a child that the request reaches has a cause of its own",
        change: Edit(&[(
            "notify/notifier.rs",
            "                let cause = locked.cause();\n",
            "                let cause = Cause::Requested;\n",
        )]),
        found_by: Scenario("cancel_because_vs_cancel_because_of_two_parents"),
    },
    Seed {
        seen: SEEN,
        wrong: "a child that is linked after the request has a cause of its own",
        change: Edit(&[(
            "links.rs",
            "            let cause = locked.cause();\n",
            "            let cause = Cause::Requested;\n",
        )]),
        found_by: Scenario("cancel_because_vs_link"),
    },
    Seed {
        seen: SEEN,
        wrong: "a request that comes too late takes the place of the cause",
        change: Edit(&[(
            "notify/request.rs",
            "    if seen.is_cancelled() {\n        return None;\n    }\n    let spare",
            "    if seen.is_cancelled() {\n\
             \x20       source.lock(seen).set(cause.bits() & crate::shared::TIMED_OUT);\n        return None;\n    }\n    let spare",
        )]),
        found_by: Scenario("cancel_because_vs_timer_vs_cancel"),
    },
];
