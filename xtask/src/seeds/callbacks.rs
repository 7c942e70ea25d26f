//! Bugs of callbacks and registrations.

use super::Change::{Edit, Weaken};
use super::Judge::Scenario;
use super::Seed;

pub(super) const SEEDS: &[Seed] = &[
    Seed {
        seen: "dotnet/coreclr#20145, #19839",
        wrong: "the request takes the whole list, so that a dispose finds nothing to remove and leaves",
        change: Edit(&[(
            "parting.rs",
            "    // SAFETY: the caller's part keeps the node alive, which is a callback.\n\
             \x20   match unsafe { Callbacks::remove(locked, node) } {",
            "    // SAFETY: none.\n\
             \x20   if locked.is_cancelled()\n\
             \x20       && unsafe { with_mut(locked, node, |member| matches!(member.state, State::Linked { .. })) }\n\
             \x20   {\n\
             \x20       // SAFETY: none.\n\
             \x20       return Parting::Over(unsafe { detach(locked, node) });\n\
             \x20   }\n\
             \x20   // SAFETY: none.\n\
             \x20   match unsafe { Callbacks::remove(locked, node) } {",
        )]),
        found_by: Scenario("dispose_vs_other_running_callback"),
    },
    Seed {
        seen: "dotnet/corefx#14903, dotnet/runtime#43438",
        wrong: "`unregister` waits for a callback that runs",
        change: Edit(&[(
            "registration.rs",
            "        let Some(kind) = removed else {\n            return false;\n        };\n",
            "        let Some(kind) = removed else {\n\
             \x20           // SAFETY: none.\n\
             \x20           let (locked, _) = unsafe { leave(registered.state(), Seen::HELD, registered.node) };\n\
             \x20           drop(locked);\n\
             \x20           return false;\n\
             \x20       };\n",
        )]),
        found_by: Scenario("unregister_vs_running_callback"),
    },
    Seed {
        seen: "dotnet/runtime#90078",
        wrong: "a dispose waits for a callback of its own thread",
        change: Edit(&[(
            "parting.rs",
            "State::Busy { thread, orphan, .. } if on_notifier || *thread == me => {",
            "State::Busy { thread, orphan, .. } if on_notifier && *thread != me => {",
        )]),
        found_by: Scenario("dispose_inside_callback_vs_cancel"),
    },
    Seed {
        seen: "GCC PR 92895",
        wrong: "a dispose does not wait, and the closure is dropped while it runs",
        change: Edit(&[(
            "parting.rs",
            "State::Busy { thread, orphan, .. } if on_notifier || *thread == me => {",
            "State::Busy { orphan, .. } => {\n            let _ = (on_notifier, me);",
        )]),
        found_by: Scenario("cancel_vs_dispose"),
    },
    Seed {
        seen: "GCC PR 92895",
        wrong: "a callback runs under the lock",
        change: Edit(&[(
            "notify.rs",
            "        drop(locked);\n        // SAFETY: node Invariant 3: this thread took the node out of the list, of this source, just \
             now.\n        unsafe { call(source.ptr(), run, node) };\n",
            "        // SAFETY: none.\n        unsafe { call(source.ptr(), run, node) };\n        drop(locked);\n",
        )]),
        found_by: Scenario("register_inside_callback_vs_dispose"),
    },
    Seed {
        seen: "microsoft/STL#1196, parking_lot ded782f and d26c284",
        wrong: "whoever disposes does not receive what the callback wrote",
        change: Weaken("LockAcquire", "Relaxed"),
        found_by: Scenario("cancel_vs_dispose"),
    },
    Seed {
        seen: "smol-rs/event-listener#138, #139",
        wrong: "a registration that had to allocate does not look again whether the request was made",
        change: Edit(&[(
            "register.rs",
            "    match admit(source, seen) {\n        Ok(locked) => Ok((locked, new.cast())),",
            "    match Ok(source.lock(seen)) {\n        Ok(locked) => Ok((locked, new.cast())),",
        )]),
        found_by: Scenario("rearmed_timer_vs_register"),
    },
    Seed {
        seen: "tokio#4129, #5471, #5475, #5578",
        wrong: "a closure is dropped under the lock",
        change: Edit(&[(
            "registration.rs",
            "        let removed = unsafe { Callbacks::remove(&mut registered.state().lock(Seen::HELD), registered.node) };\n",
            "        let mut locked = registered.state().lock(Seen::HELD);\n\
             \x20       // SAFETY: none.\n\
             \x20       let removed = unsafe { Callbacks::remove(&mut locked, registered.node) };\n",
        )]),
        found_by: Scenario("panicking_drop_vs_unregister"),
    },
];
