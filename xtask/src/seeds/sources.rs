//! Bugs of sources: their request, their links, their timers, their end.

use super::Change::{Edit, Weaken};
use super::Judge::Scenario;
use super::Seed;

pub(super) const SEEDS: &[Seed] = &[
    Seed {
        seen: "dotnet/coreclr#4167",
        wrong: "a parent's request fails on a child that is being dropped",
        change: Edit(&[
            (
                "source/end.rs",
                "        match links::release_plain(handle) {\n",
                "        let mut locked = handle.lock(Seen::HELD);\n\
                 \x20       if locked.is_live() {\n\
                 \x20           locked.set(ORPHANED);\n\
                 \x20       }\n\
                 \x20       drop(locked);\n\
                 \x20       match links::release_plain(handle) {\n",
            ),
            (
                "notify/request.rs",
                "    let mut locked = source.lock(seen);\n    if !locked.is_live() {\n",
                "    let mut locked = source.lock(seen);\n\
                 \x20   assert!(locked.is_cancelled() || locked.is_live(), \"the source is disposed\");\n\
                 \x20   if !locked.is_live() {\n",
            ),
        ]),
        found_by: Scenario("cancel_vs_drop_of_child"),
    },
    Seed {
        seen: "mono/mono#2104",
        wrong: "the last handle that goes while callbacks run removes the rest of them",
        change: Edit(&[("source/end.rs", "Rest::begin(&mut locked, is_live)", "Rest::begin(&mut locked, true)")]),
        found_by: Scenario("timer_vs_drop_of_source"),
    },
    Seed {
        seen: "dotnet/runtime#60182",
        wrong: "a timer that is armed after the request is an error",
        change: Edit(&[(
            "timer.rs",
            "    let is_known = armed.is_none() && in_time;\n",
            "    assert!(!source.is_cancelled(), \"the timer is closed\");\n\
             \x20   let is_known = armed.is_none() && in_time;\n",
        )]),
        found_by: Scenario("cancel_after_vs_cancel"),
    },
    Seed {
        seen: "dotnet/runtime#46603, Kotlin/kotlinx.coroutines#2660 and #3380",
        wrong: "a link whose turn came before its child went is not given back, and keeps the parent alive",
        change: Edit(&[(
            "links/end.rs",
            "    unsafe { Callbacks::withdraw(&mut locked, link.cast()) };\n",
            "    if unsafe { Callbacks::withdraw(&mut locked, link.cast()) }.is_none() {\n\
             \x20       return Deferred::none();\n    }\n",
        )]),
        found_by: Scenario("cancel_vs_drop_of_child"),
    },
    Seed {
        seen: "tokio#4639, #4652",
        wrong: "a cancelled child is not unlinked",
        change: Edit(&[(
            "links/end.rs",
            "unsafe { L::get(block, i) } {\n",
            "unsafe { L::get(block, i) }.filter(|_| !handle.is_cancelled()) {\n",
        )]),
        found_by: Scenario("cancel_parent_vs_cancel_child"),
    },
    Seed {
        seen: "libstdc++'s stop_token, rust-lang/rust#51780",
        wrong: "whoever releases the state does not receive the last use of the others",
        change: Weaken("RefLast", "Relaxed"),
        found_by: Scenario("drops_of_three_tokens"),
    },
    Seed {
        seen: "folly fe27f3930",
        wrong: "whoever finds the request made does not receive what came before it",
        change: Edit(&[(
            "notify/request.rs",
            "    let seen = source.poll();\n    if seen.is_cancelled() {\n        return None;",
            "    let seen = source.peek();\n    if seen.is_cancelled() {\n        return None;",
        )]),
        found_by: Scenario("cancel_vs_cancel"),
    },
    Seed {
        seen: "once_cell 5386606 and 0af68fb",
        wrong: "the request is published without what came before it",
        change: Weaken("Unlock", "Relaxed"),
        found_by: Scenario("cancel_vs_poll"),
    },
    Seed {
        seen: "parking_lot 8c36d8c",
        wrong: "an observation of the request receives nothing",
        change: Weaken("Poll", "Relaxed"),
        found_by: Scenario("cancel_vs_poll"),
    },
    Seed {
        seen: "tokio#7450",
        wrong: "the request sets its bit while another thread holds the lock, who stores over it",
        change: Edit(&[
            (
                "shared.rs",
                "    /// The state's bits, possibly out of date.\n",
                "    pub(crate) fn mark_cancelled(&self) {\n\
                 \x20       weakest::AtomicInt::fetch_or(&self.word, CANCELLED, Site::RefDrop);\n    }\n\n\
                 \x20   /// The state's bits, possibly out of date.\n",
            ),
            (
                "notify/request.rs",
                "    let mut locked = source.lock(seen);\n\
                 \x20   if !locked.is_live() {\n\
                 \x20       drop(locked);\n\
                 \x20       spare.discard();\n\
                 \x20       return None;\n\
                 \x20   }\n\
                 \x20   let timer = timer::retire(&mut locked);\n\
                 \x20   spare.attach(&mut locked);\n\
                 \x20   locked.set(cause.bits());\n",
                "    source.mark_cancelled();\n\
                 \x20   let mut locked = source.lock(seen);\n\
                 \x20   let timer = timer::retire(&mut locked);\n\
                 \x20   spare.attach(&mut locked);\n",
            ),
        ]),
        found_by: Scenario("cancel_vs_wait"),
    },
    Seed {
        seen: "crossbeam 9178ce15 and #1084",
        wrong: "the last handle of a child releases it while the parent's request runs its callbacks",
        change: Edit(&[(
            "notify/notifier.rs",
            "    unsafe { Handle::retain(child) }",
            "    unsafe { Handle::adopt(child) }",
        )]),
        found_by: Scenario("cancel_vs_drop_of_child"),
    },
];
