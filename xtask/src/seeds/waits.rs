//! Bugs of waits and futures.

use super::Change::Edit;
use super::Judge::Scenario;
use super::Seed;

pub(super) const SEEDS: &[Seed] = &[
    Seed {
        seen: "tokio 9a3ce91ef (#4497), thingbuf c58c620",
        wrong: "a second poll keeps the first waker",
        change: Edit(&[(
            "waits.rs",
            "    let old = unsafe { list::set_waker(&mut locked, sleeper, Some(waker)) };\n",
            "    let old = Some(waker);\n",
        )]),
        found_by: Scenario("cancel_vs_second_poll"),
    },
    Seed {
        seen: "tokio 6d868d96c (#7462)",
        wrong: "a future that is ready wins over a token that is cancelled already",
        change: Edit(&[("waits.rs", "        if first && wait.token.is_cancelled() {", "        if first && false {")]),
        found_by: Scenario("cancel_vs_run_until_cancelled"),
    },
    Seed {
        seen: "tokio 7c8b8877d (#1768), rust-lang/futures-rs#1335",
        wrong: "a thread that waits looks at the request by a plain load, before it is in the list",
        change: Edit(&[(
            "waits.rs",
            "    if locked.is_cancelled() {\n        return;\n",
            "    if seen.is_cancelled() {\n        return;\n",
        )]),
        found_by: Scenario("cancel_vs_wait"),
    },
    Seed {
        seen: "tokio 00725f687 (#2340)",
        wrong: "waits are taken out under the lock, and their wakers later, when the waits may be gone",
        change: Edit(&[
            (
                "list.rs",
                "mut keep: impl FnMut(Option<Waker>) -> bool",
                "mut keep: impl FnMut(Option<Ptr<P, Sleeper<P>>>) -> bool",
            ),
            (
                "list.rs",
                "        if !keep(unsafe { set_waker(locked, sleeper, None) }) {\n",
                "        if !keep(Some(sleeper)) {\n",
            ),
            (
                "notify/request.rs",
                "MaybeUninit::<Waker>::uninit()",
                "MaybeUninit::<weakest::Ptr<P, crate::node::Sleeper<P>>>::uninit()",
            ),
            (
                "notify/request.rs",
                "        wakers.next().map(|waker| unsafe { waker.assume_init_read() })\n",
                "        wakers.next().and_then(|sleeper| unsafe {\n\
                 \x20           sleeper.assume_init_read().get().waker.with_mut(Option::take)\n\
                 \x20       })\n",
            ),
            ("notify/request.rs", "use weakest::{Platform, ThreadId};", "use weakest::{Cell, Platform, ThreadId};"),
        ]),
        found_by: Scenario("cancel_vs_drop_of_future"),
    },
    Seed {
        seen: "tokio#4129, #5471, #5475, #5578",
        wrong: "a waker is dropped under the lock",
        change: Edit(&[(
            "waits.rs",
            "    let old = unsafe { list::set_waker(&mut locked, sleeper, Some(waker)) };\n    drop(locked);\n    drop(old);\n",
            "    let old = unsafe { list::set_waker(&mut locked, sleeper, Some(waker)) };\n    drop(old);\n    drop(locked);\n",
        )]),
        found_by: Scenario("cancel_vs_drop_after_second_poll"),
    },
    Seed {
        seen: "tokio#4129, #5471, #5475, #5578",
        wrong: "a waker is called under the lock",
        change: Edit(&[
            ("notify/request.rs", "    drop(locked);\n    let mut wakers = batch", "    let mut wakers = batch"),
            ("notify/request.rs", "    there_are_more\n}", "    drop(locked);\n    there_are_more\n}"),
        ]),
        found_by: Scenario("cancel_vs_drop_after_second_poll"),
    },
    Seed {
        seen: "golang/go#75533",
        wrong: "callbacks run before the waits are released",
        change: Edit(&[
            (
                "notify/request.rs",
                "        self.has_waits || self.timer.is_some()\n",
                "        self.has_waits && !self.has_callbacks || self.timer.is_some()\n",
            ),
            (
                "notify.rs",
                "        Ok(None) => Ok(true),\n",
                "        Ok(None) => {\n\
                 \x20           let locked = root.lock(crate::shared::Seen::CANCELLED);\n\
                 \x20           request::release_all(root, locked, None, 0, &mut Collector::default());\n\
                 \x20           Ok(true)\n\
                 \x20       }\n",
            ),
        ]),
        found_by: Scenario("wait_vs_callback_that_waits_for_it"),
    },
    Seed {
        seen: "once_cell 5386606 and 0af68fb, parking_lot 8c36d8c",
        wrong: "waits are woken before the request is made",
        change: Edit(&[(
            "notify/request.rs",
            "    let timer = timer::retire(&mut locked);\n",
            "    if locked.with(|lists| lists.waits.is_some()) {\n\
             \x20       release_all(source, locked, None, 0, &mut Collector::default());\n\
             \x20       locked = source.lock(seen);\n\
             \x20   }\n\
             \x20   let timer = timer::retire(&mut locked);\n",
        )]),
        found_by: Scenario("cancel_vs_wait"),
    },
];
