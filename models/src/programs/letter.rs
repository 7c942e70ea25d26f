//! The token's operations as letters.

use std::fmt;

use rescind_proptests::threads::given::Step;
use rescind_spec::history::{FutureOp, GuardOp, JobOp, Op, RegistrationOp, SourceOp, Ticks, TokenOp, WeakOp};
use weakest::programs::{Object, Objects};

/// A source handle.
pub(super) const HANDLE: u8 = 0;
/// A token.
pub(super) const TOKEN: u8 = 1;
/// A registration.
pub(super) const REGISTRATION: u8 = 2;
/// A future.
pub(super) const FUTURE: u8 = 3;
/// A guard.
pub(super) const GUARD: u8 = 4;
/// A weak handle.
pub(super) const WEAK: u8 = 5;
/// A job.
pub(super) const JOB: u8 = 6;
/// The completion of a job.
pub(super) const COMPLETION: u8 = 7;

/// What a callback does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Body {
    /// Nothing.
    Nothing,
    /// It panics.
    Panics,
    /// The drop of its closure panics.
    Bomb,
    /// Cancels a source.
    Cancels(Object),
    /// Registers and removes another callback.
    Registers(Object),
    /// Drops a source handle.
    Drops(Object),
    /// Resets a source.
    Resets(Object),
}

/// An operation, and what it is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Letter {
    /// A source that cancels itself after some ticks of the clock.
    Timed(Ticks),
    /// A source linked to one token.
    Link(Object),
    /// A source linked to two.
    LinkBoth(Object, Object),
    /// What is done with a source handle.
    Source(SourceOp, Object),
    /// A request with an error as its cause.
    CancelBecause(Object),
    /// A new delay.
    CancelAfter(Object, Ticks),
    /// What is done with a token.
    Token(TokenOp, Object),
    /// A callback is registered.
    Register(Object, Body),
    /// A callback is registered and left so.
    Leave(Object, Body),
    /// A callback is registered for a moment.
    With(Object, Body),
    /// A token is dropped.
    DropToken(Object),
    /// What is done with a registration.
    Registration(RegistrationOp, Object),
    /// What is done with a future.
    Future(FutureOp, Object),
    /// What is done with a weak handle.
    Weak(WeakOp, Object),
    /// What is done with a guard.
    Guard(GuardOp, Object),
    /// What is done with a job, or with its completion.
    Job(JobOp, Object),
    /// The clock, on which this source's timer is, moves on.
    Advance(Object),
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Panics => f.write_str("panics"),
            Self::Bomb => f.write_str("bomb"),
            Self::Cancels(handle) => write!(f, "cancels h{handle}"),
            Self::Registers(token) => write!(f, "registers t{token}"),
            Self::Drops(handle) => write!(f, "drops h{handle}"),
            Self::Resets(handle) => write!(f, "resets h{handle}"),
        }
    }
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timed(ticks) => write!(f, "timed {ticks}"),
            Self::Link(token) => write!(f, "link t{token}"),
            Self::LinkBoth(a, b) => write!(f, "link t{a} t{b}"),
            Self::Source(op, handle) => write!(f, "{} h{handle}", op.name()),
            Self::CancelBecause(handle) => write!(f, "cancel-because h{handle}"),
            Self::CancelAfter(handle, ticks) => write!(f, "cancel-after h{handle} {ticks}"),
            Self::Token(op, token) => write!(f, "{} t{token}", op.name()),
            Self::Register(token, body) => write!(f, "register t{token} {body}"),
            Self::Leave(token, body) => write!(f, "leave t{token} {body}"),
            Self::With(token, body) => write!(f, "with t{token} {body}"),
            Self::DropToken(token) => write!(f, "drop t{token}"),
            Self::Registration(op, registration) => write!(f, "{} r{registration}", op.name()),
            Self::Future(op, future) => write!(f, "{} f{future}", op.name()),
            Self::Weak(op, weak) => write!(f, "{} w{weak}", op.name()),
            Self::Guard(op, guard) => write!(f, "{} g{guard}", op.name()),
            Self::Job(op, job) => write!(f, "{} j{job}", op.name()),
            Self::Advance(handle) => write!(f, "advance h{handle}"),
        }
    }
}

impl Body {
    fn object(&mut self) -> Option<&mut Object> {
        match self {
            Self::Nothing | Self::Panics | Self::Bomb => None,
            Self::Cancels(object) | Self::Registers(object) | Self::Drops(object) | Self::Resets(object) => {
                Some(object)
            }
        }
    }

    /// What the callback does, with objects by their numbers.
    fn ops(self, number: impl Fn(Object) -> usize) -> Vec<Op> {
        match self {
            Self::Nothing => vec![],
            Self::Panics => vec![Op::Panic(1)],
            Self::Bomb => vec![Op::AtDrop(vec![Op::Panic(2)])],
            Self::Cancels(handle) => vec![Op::Source(SourceOp::Cancel, number(handle))],
            Self::Registers(token) => vec![Op::WithCallback(number(token) + 2, vec![], vec![])],
            Self::Drops(handle) => vec![Op::Source(SourceOp::Drop, number(handle))],
            Self::Resets(handle) => vec![Op::Source(SourceOp::TryReset, number(handle))],
        }
    }
}

impl Letter {
    /// The objects that it names, the callback's last.
    pub(super) fn objects(&mut self) -> Vec<&mut Object> {
        match self {
            Self::Timed(_) => vec![],
            Self::LinkBoth(a, b) => vec![a, b],
            Self::Register(token, body) | Self::Leave(token, body) | Self::With(token, body) => {
                [token].into_iter().chain(body.object()).collect()
            }
            Self::Link(object)
            | Self::Advance(object)
            | Self::Source(_, object)
            | Self::CancelBecause(object)
            | Self::CancelAfter(object, _)
            | Self::Token(_, object)
            | Self::DropToken(object)
            | Self::Registration(_, object)
            | Self::Future(_, object)
            | Self::Weak(_, object)
            | Self::Guard(_, object)
            | Self::Job(_, object) => vec![object],
        }
    }

    /// As a step, where these objects were made.
    pub(super) fn step(&self, objects: &Objects) -> Step {
        let number = |object: Object| number(objects, object);
        let token = |object: Object| number(object) + 2;
        Step::Do(match *self {
            Self::Timed(ticks) => Op::NewTimed(ticks),
            Self::Link(parent) => Op::Linked(vec![token(parent)]),
            Self::LinkBoth(a, b) => Op::Linked(vec![token(a), token(b)]),
            Self::Source(op, handle) => Op::Source(op, number(handle)),
            Self::CancelBecause(handle) => Op::CancelBecause(number(handle), 0),
            Self::CancelAfter(handle, ticks) => Op::CancelAfter(number(handle), ticks),
            Self::Token(op, object) => Op::Token(op, token(object)),
            Self::Register(object, body) => Op::Register(token(object), body.ops(number)),
            Self::Leave(object, body) => return Step::Leave(token(object), body.ops(number)),
            Self::With(object, body) => Op::WithCallback(token(object), body.ops(number), vec![]),
            Self::DropToken(object) => return Step::DropToken(number(object)),
            Self::Registration(op, registration) => Op::Registration(op, number(registration)),
            Self::Future(op, future) => Op::Future(op, number(future)),
            Self::Weak(op, weak) => Op::Weak(op, number(weak)),
            Self::Guard(op, guard) => Op::Guard(op, number(guard)),
            Self::Job(op, job) => Op::Job(op, number(job)),
            Self::Advance(_) => Op::Advance(1),
        })
    }
}

/// How many objects of its kind were made before.
pub(super) fn number(objects: &Objects, object: Object) -> usize {
    let kind = objects.get(object).kind;
    (0..object).filter(|&other| objects.get(other).kind == kind).count()
}
