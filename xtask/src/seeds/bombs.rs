//! Panics of user code that leave in the midst of somebody else's work.

use super::Change::Edit;
use super::Judge::Scenario;
use super::Seed;

/// This crate, before its first release.
const SEEN: &str = "this crate, before its first release";

pub(super) const SEEDS: &[Seed] = &[
    Seed {
        seen: SEEN,
        wrong: "the panic of a parent's release leaves a child linked to its other parents, and frees it",
        change: Edit(&[(
            "links/end.rs",
            "        deferred.add(unsafe { unlink(link) });\n",
            "        unsafe { unlink(link) }.resume();\n",
        )]),
        found_by: Scenario("drop_of_child_of_a_bomb_vs_cancel"),
    },
    Seed {
        seen: SEEN,
        wrong: "the panic of a state's release leaves a registration's closure where it is",
        change: Edit(&[(
            "disposal.rs",
            "let_go(locked, source) };\n    remains.clear_last(released);\n",
            "let_go(locked, source) };\n\
             \x20   released.resume();\n\
             \x20   remains.clear_last(Deferred::none());\n",
        )]),
        found_by: Scenario("dispose_vs_drop_of_token_of_a_bomb"),
    },
    Seed {
        seen: "nobody's yet",
        wrong: "the panic of a closure's drop leaves the source's other closures",
        change: Edit(&[(
            "removal.rs",
            "        deferred = deferred.and(Deferred::of(|| unsafe { kind.discard(node) }));\n",
            "        unsafe { kind.discard(node) };\n",
        )]),
        found_by: Scenario("drop_of_source_of_bombs_vs_unregister"),
    },
    Seed {
        seen: "nobody's yet",
        wrong: "the panic of a clock leaves the use of its timer open, so that nobody ends it",
        change: Edit(&[
            ("timer.rs", "    let armed = Deferred::of(|| {\n", "    let armed = Deferred::none().and({\n"),
            (
                "timer.rs",
                "        user.timer().arm(delay);\n    });\n",
                "        user.timer().arm(delay);\n        Deferred::<P>::none()\n    });\n",
            ),
        ]),
        found_by: Scenario("cancel_after_vs_cancel_of_a_loud_arm"),
    },
];
