//! Which of the token's operations fit which objects, and what each makes and uses up.

use rescind_proptests::threads::given::End;
use rescind_spec::history::{FutureOp, GuardOp, JobOp, RegistrationOp, SourceOp, TokenOp, WeakOp};
use weakest::programs::{Alphabet, Hold, Object, Objects};

use super::letter::{Body, COMPLETION, FUTURE, GUARD, HANDLE, JOB, Letter, REGISTRATION, TOKEN, WEAK};

/// A source without a clock of its own.
const PLAIN: u8 = 0;
/// A source on the manual clock.
const TIMED: u8 = 1;

/// The token as an alphabet. Two sources and their tokens are there from the beginning.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// In which order what is left over is dropped.
    pub end: End,
}

/// The source that a handle or a token is of: its first handle.
fn make_source(objects: &mut Objects, state: u8, parents: &[Object]) {
    let handle = objects.make(HANDLE, state, parents);
    objects.make(TOKEN, state, &[handle]);
}

impl Token {
    /// The handle that was made with a token.
    fn handle_of(token: Object) -> Object {
        token - 1
    }

    fn of_handle(objects: &Objects, handle: Object, letters: &mut Vec<Letter>) {
        use SourceOp as S;
        let ops = [
            S::Cancel,
            S::CancelFailFast,
            S::CancelOn,
            S::CancelAsync,
            S::Clone,
            S::Drop,
            S::TryReset,
            S::Guard,
            S::Downgrade,
        ];
        letters.extend(ops.map(|op| Letter::Source(op, handle)));
        letters.push(Letter::CancelBecause(handle));
        if objects.get(handle).state == TIMED {
            letters.extend([0, 1].map(|ticks| Letter::CancelAfter(handle, ticks)));
            letters.push(Letter::Source(S::Disarm, handle));
        }
    }

    fn of_token(objects: &Objects, token: Object, letters: &mut Vec<Letter>) {
        use TokenOp as T;
        let ops = [T::IsCancelled, T::CanBeCancelled, T::Cause, T::Wait, T::WaitNow, T::Future];
        letters.extend(ops.map(|op| Letter::Token(op, token)));
        let plain = [Body::Nothing, Body::Panics, Body::Bomb];
        letters.extend(plain.map(|body| Letter::Register(token, body)));
        letters.extend(plain.map(|body| Letter::Leave(token, body)));
        letters.extend(plain.map(|body| Letter::With(token, body)));
        let handle = Self::handle_of(token);
        if !objects.get(handle).gone {
            let bodies = [Body::Cancels(handle), Body::Drops(handle), Body::Resets(handle)];
            letters.extend(bodies.map(|body| Letter::Register(token, body)));
        }
        letters.push(Letter::Register(token, Body::Registers(token)));
        letters.extend([Letter::DropToken(token), Letter::Link(token)]);
        letters.extend(objects.of(TOKEN).filter(|&other| other > token).map(|other| Letter::LinkBoth(token, other)));
    }

    fn rest(objects: &Objects, letters: &mut Vec<Letter>) {
        use RegistrationOp as R;
        for registration in objects.of(REGISTRATION) {
            let ops = [R::Unregister, R::Dispose, R::DisposeAsync, R::Detach];
            letters.extend(ops.map(|op| Letter::Registration(op, registration)));
        }
        for future in objects.of(FUTURE) {
            letters
                .extend([FutureOp::Poll, FutureOp::PollAlarmed, FutureOp::Drop].map(|op| Letter::Future(op, future)));
        }
        for weak in objects.of(WEAK) {
            letters.extend([WeakOp::Upgrade, WeakOp::Cancel].map(|op| Letter::Weak(op, weak)));
        }
        for guard in objects.of(GUARD) {
            letters.extend([GuardOp::Drop, GuardOp::Disarm].map(|op| Letter::Guard(op, guard)));
        }
        letters.extend(objects.of(JOB).map(|job| Letter::Job(JobOp::Run, job)));
        for completion in objects.of(COMPLETION) {
            letters.extend([JobOp::IsComplete, JobOp::Poll].map(|op| Letter::Job(op, completion)));
        }
    }
}

impl Alphabet for Token {
    type Letter = Letter;

    fn version(&self) -> String {
        format!("{:?} {}", self.end, env!("AUDITED_SOURCES"))
    }

    fn initial(&self) -> Objects {
        let mut objects = Objects::default();
        make_source(&mut objects, PLAIN, &[]);
        make_source(&mut objects, PLAIN, &[]);
        objects
    }

    fn symmetries(&self) -> Vec<Vec<Object>> {
        vec![vec![0, 1, 2, 3], vec![2, 3, 0, 1]]
    }

    /// Whatever a thread may do but wait; and sources with a timeout.
    fn set_up(&self, objects: &Objects) -> Vec<Letter> {
        let mut letters = self.letters(objects);
        letters.retain(|letter| !matches!(letter, Letter::Token(TokenOp::Wait, _)));
        letters.push(Letter::Timed(1));
        letters
    }

    fn letters(&self, objects: &Objects) -> Vec<Letter> {
        let mut letters = Vec::new();
        objects.of(HANDLE).for_each(|handle| Self::of_handle(objects, handle, &mut letters));
        objects.of(TOKEN).for_each(|token| Self::of_token(objects, token, &mut letters));
        Self::rest(objects, &mut letters);
        let timed = objects.of(HANDLE).find(|handle| objects.get(*handle).state == TIMED);
        letters.extend(timed.map(Letter::Advance));
        letters
    }

    fn uses(&self, letter: &Letter) -> Vec<(Object, Hold)> {
        let hold = match letter {
            Letter::Registration(RegistrationOp::Unregister, _) | Letter::Weak(..) | Letter::Advance(_) => Hold::Shared,
            Letter::Registration(..) | Letter::Future(..) | Letter::Guard(..) | Letter::Job(..) => Hold::Own,
            _ => Hold::Handle,
        };
        letter.clone().objects().into_iter().map(|object| (*object, hold)).collect()
    }

    fn apply(&self, letter: &Letter, objects: &mut Objects) {
        match *letter {
            Letter::Timed(_) => {
                // They have the clock in common.
                let others: Vec<_> = objects.of(HANDLE).filter(|handle| objects.get(*handle).state == TIMED).collect();
                make_source(objects, TIMED, &others);
            }
            Letter::Link(parent) => make_source(objects, PLAIN, &[parent]),
            Letter::LinkBoth(a, b) => make_source(objects, PLAIN, &[a, b]),
            Letter::Source(SourceOp::Clone, handle) => {
                let state = objects.get(handle).state;
                objects.make(HANDLE, state, &[handle]);
            }
            Letter::Source(SourceOp::Guard, handle) => _ = objects.make(GUARD, 0, &[handle]),
            Letter::Source(SourceOp::Downgrade, handle) => _ = objects.make(WEAK, objects.get(handle).state, &[handle]),
            Letter::Source(SourceOp::CancelOn, handle) => {
                objects.make(JOB, 0, &[handle]);
                objects.make(COMPLETION, 0, &[handle]);
            }
            Letter::Token(TokenOp::Future, token) => _ = objects.make(FUTURE, 0, &[token]),
            Letter::Register(token, _) => _ = objects.make(REGISTRATION, 0, &[token]),
            Letter::Weak(WeakOp::Upgrade, weak) => _ = objects.make(HANDLE, objects.get(weak).state, &[weak]),
            Letter::Source(SourceOp::Drop, object)
            | Letter::DropToken(object)
            | Letter::Registration(
                RegistrationOp::Dispose | RegistrationOp::DisposeAsync | RegistrationOp::Detach,
                object,
            )
            | Letter::Future(FutureOp::Drop, object)
            | Letter::Guard(_, object)
            | Letter::Job(JobOp::Run, object) => objects.end(object),
            _ => {}
        }
    }

    fn renamed(&self, letter: &Letter, name: &dyn Fn(Object) -> Object) -> Letter {
        let mut letter = *letter;
        letter.objects().into_iter().for_each(|object| *object = name(*object));
        if let Letter::LinkBoth(a, b) = letter {
            return Letter::LinkBoth(a.min(b), a.max(b));
        }
        letter
    }

    fn only_reads(&self, letter: &Letter) -> bool {
        matches!(letter, Letter::Token(TokenOp::IsCancelled | TokenOp::CanBeCancelled, _))
    }
}
