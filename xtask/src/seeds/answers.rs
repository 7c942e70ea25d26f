//! Orders and outcomes that .NET does not have: its recorded answers alone must find them.

use super::Change::Edit;
use super::Judge::Answers;
use super::Seed;

/// No bug of anybody's.
const SEEN: &str = "unlike .NET";

pub(super) const SEEDS: &[Seed] = &[
    Seed {
        seen: SEEN,
        wrong: "callbacks run in the order of their registration",
        change: Edit(&[
            (
                "notify/notifier.rs",
                "list::take_newest(&mut locked, self.me)",
                "list::take_oldest(&mut locked, self.me)",
            ),
            ("list.rs", "member.kind.run) }?;\n", "member.kind.run.filter(|_| false)) }?;\n"),
            (
                "list.rs",
                "/// Changes whom a sleeper wakes;",
                "fn older_of<P: Platform>(member: &Member<P>) -> Option<NodePtr<P>> {\n\
                 \x20   if let State::Linked { older, .. } = member.state { older } else { None }\n\
                 }\n\n\
                 pub(crate) fn take_oldest<P: Platform>(\n\
                 \x20   locked: &mut Locked<'_, P>,\n\
                 \x20   thread: ThreadId,\n\
                 ) -> Option<(NodePtr<P>, &'static Kind<P>)> {\n\
                 \x20   let mut node = locked.with(|lists| lists.newest)?;\n\
                 \x20   // SAFETY: none.\n\
                 \x20   while let Some(older) = unsafe { with(locked, node, older_of) } {\n\
                 \x20       node = older;\n\
                 \x20   }\n\
                 \x20   // SAFETY: none.\n\
                 \x20   let kind = unsafe { with(locked, node, |member| member.kind) };\n\
                 \x20   // SAFETY: none.\n\
                 \x20   unsafe { take(locked, node, thread) };\n\
                 \x20   Some((node, kind))\n\
                 }\n\n\
                 /// Changes whom a sleeper wakes;",
            ),
        ]),
        found_by: Answers,
    },
    Seed {
        seen: SEEN,
        wrong: "of several panics only the first is told",
        change: Edit(&[(
            "panics.rs",
            "            Some((top, payloads)) if *top == depth => payloads.push(payload),\n",
            "            Some((top, _)) if *top == depth => drop(payload),\n",
        )]),
        found_by: Answers,
    },
    Seed {
        seen: SEEN,
        wrong: "a linked source is cancelled after the callbacks that are older than its link",
        change: Edit(&[
            (
                "links.rs",
                "unsafe { Callbacks::push(&mut locked, link.cast()) };",
                "unsafe { crate::list::push_oldest(&mut locked, link.cast()) };",
            ),
            (
                "list.rs",
                "/// What a broken list is called.\n",
                "fn older_of<P: Platform>(member: &Member<P>) -> Option<NodePtr<P>> {\n\
                 \x20   if let State::Linked { older, .. } = member.state { older } else { None }\n\
                 }\n\n\
                 /// # Safety\n/// None.\n\
                 pub(crate) unsafe fn push_oldest<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) {\n\
                 \x20   let Some(mut newer) = locked.with(|lists| lists.newest) else {\n\
                 \x20       // SAFETY: none.\n\
                 \x20       return unsafe { Callbacks::push(locked, node) };\n\
                 \x20   };\n\
                 \x20   // SAFETY: none.\n\
                 \x20   while let Some(older) = unsafe { with(locked, newer, older_of) } {\n\
                 \x20       newer = older;\n\
                 \x20   }\n\
                 \x20   locked.with_mut(|guarded| guarded.registered += 1);\n\
                 \x20   // SAFETY: none.\n\
                 \x20   unsafe { with_mut(locked, newer, |member| set_older(member, Some(node))) };\n\
                 \x20   let state = State::Linked { newer: Some(newer), older: None, orphan: false };\n\
                 \x20   // SAFETY: none.\n\
                 \x20   unsafe { with_mut(locked, node, |member| member.state = state) };\n\
                 }\n\n\
                 /// What a broken list is called.\n",
            ),
        ]),
        found_by: Answers,
    },
    Seed {
        seen: SEEN,
        wrong: "a reset keeps what is registered",
        change: Edit(&[(
            "source.rs",
            "        let is_doomed = removal::doom(&mut locked);\n        drop(locked);\n",
            "        let is_doomed = false;\n        drop(locked);\n",
        )]),
        found_by: Answers,
    },
];
