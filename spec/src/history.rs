//! Histories: what one thread does with sources and tokens, and what it is told, as data.
//!
//! Objects are named by number, in the order in which they were made, modulo how many there are: every history means
//! something, and keeps a meaning when it is shrunk. An operation on an object that is gone, or on none, is
//! [`Void`](Answer::Void) and does nothing. Token 0 is the one that is never cancelled, token 1 the one that always
//! is; every other token is that of a source, in the order of the sources.
//!
//! A callback's body is itself a list of operations. As in Rust, a panic leaves the body unless [`Op::Try`] catches
//! it; at the top level every operation is tried.

use crate::Operation;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Makes a source, and takes its token.
    New,
    /// Makes a source with a timeout of so many ticks on the manual clock, and takes its token.
    NewTimed(Ticks),
    /// Makes a source linked to these tokens, and takes its token.
    Linked(Vec<usize>),
    /// Makes a source linked to these tokens with a timeout of so many ticks on the manual clock, and takes its token.
    LinkedTimed(Vec<usize>, Ticks),
    /// Does something with a handle of a source.
    Source(SourceOp, usize),
    /// Makes the request because of an error of this number; panics if callbacks did.
    CancelBecause(usize, u8),
    /// Does something with a weak handle.
    Weak(WeakOp, usize),
    /// Arms the timer of a source; on another clock than the manual one it never fires.
    CancelAfter(usize, Ticks),
    /// Asks something of a token.
    Token(TokenOp, usize),
    /// Whether two tokens are equal.
    TokensEqual(usize, usize),
    /// Registers a callback with this body.
    Register(usize, Vec<Op>),
    /// Registers a callback that is given its token.
    RegisterWithToken(usize, Vec<Op>),
    /// Does the second list with the first one registered as a callback.
    WithCallback(usize, Vec<Op>, Vec<Op>),
    /// Does something with a registration.
    Registration(RegistrationOp, usize),
    /// Whether two registrations are equal.
    RegistrationsEqual(usize, usize),
    /// Makes a future that has an output when it is polled for the n-th time, until the token is cancelled.
    RunUntilCancelled(usize, u8),
    /// Does something with a future.
    Future(FutureOp, usize),
    /// Does something with a guard.
    Guard(GuardOp, usize),
    /// Does something with a job, or with the completion that came with it.
    Job(JobOp, usize),
    /// Moves the manual clock.
    Advance(Ticks),
    /// Panics with this number.
    Panic(u32),
    /// Does it, and catches its panic.
    Try(Box<Op>),
    /// In a callback's body: what the drop of its closure does, unless the thread unwinds. Nothing anywhere else.
    AtDrop(Vec<Op>),
}

/// What the drop of a closure with this body does.
#[must_use]
pub fn at_drop(body: &[Op]) -> Vec<Op> {
    let parts = body.iter().filter_map(|op| if let Op::AtDrop(ops) = op { Some(ops) } else { None });
    parts.flatten().cloned().collect()
}

/// Whether the drop of the error of this number panics with it.
#[must_use]
pub const fn is_loud(error: u8) -> bool {
    error % 4 == 3
}

/// A time by the manual clock. The largest one stands for the longest possible time.
pub type Ticks = u8;

macro_rules! kinds {
    ($( $(#[$meta:meta])* $Kind:ident { $( $(#[$vmeta:meta])* $Variant:ident = $name:literal, $operation:expr; )+ } )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $Kind {
            $( $(#[$vmeta])* $Variant, )+
        }

        impl $Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),+];

            /// A short name, different from that of every other thing to do.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$Variant => $name),+ }
            }

            /// The operation of the contract that this is, if it is one.
            #[must_use]
            pub const fn operation(self) -> Option<Operation> {
                match self { $(Self::$Variant => $operation),+ }
            }
        }
    )+};
}

kinds! {
    /// What is done with a handle of a source.
    SourceOp {
        /// Makes another handle.
        Clone = "clone", None;
        /// Drops the handle.
        Drop = "drop", Some(Operation::DropSource);
        /// Polls.
        IsCancelled = "source-polled", Some(Operation::SourceIsCancelled);
        /// Makes the request; panics if callbacks did.
        Cancel = "cancel", Some(Operation::Cancel);
        /// Makes the request; the panics are the answer.
        TryCancel = "try-cancel", Some(Operation::TryCancel);
        /// Makes the request, up to the first panic.
        CancelFailFast = "cancel-fail-fast", Some(Operation::CancelFailFast);
        /// Makes the request; a job, if there is one, is kept.
        CancelOn = "cancel-on", Some(Operation::CancelOn);
        /// Makes the request, runs the job, if there is one, and waits for the completion.
        CancelAsync = "cancel-async", Some(Operation::CancelOn);
        /// Switches the timer off.
        Disarm = "disarm", Some(Operation::Disarm);
        /// Resets.
        TryReset = "reset", Some(Operation::TryReset);
        /// Makes a guard.
        Guard = "guard", Some(Operation::DropGuard);
        /// Makes a weak handle.
        Downgrade = "downgrade", Some(Operation::Downgrade);
    }
    /// What is done with a weak handle.
    WeakOp {
        /// Makes a handle, if there is one.
        Upgrade = "upgrade", Some(Operation::Upgrade);
        /// Makes the request, if there is a handle; panics if callbacks did.
        Cancel = "weak-cancel", Some(Operation::WeakCancel);
        /// Which token it gives.
        Token = "weak-token", Some(Operation::WeakToken);
        /// Drops it.
        Drop = "drop-weak", None;
    }
    /// What is asked of a token.
    TokenOp {
        /// Polls.
        IsCancelled = "polled", Some(Operation::IsCancelled);
        /// Asks whether it can be cancelled.
        CanBeCancelled = "can-be-cancelled", Some(Operation::CanBeCancelled);
        /// Polls; the error must carry the token.
        Check = "check", Some(Operation::Check);
        /// Asks for the cause, of the token and of its error, which must be the same.
        Cause = "cause", Some(Operation::Cause);
        /// Blocks until the request, if there was one; does nothing otherwise.
        Wait = "wait", Some(Operation::Wait);
        /// Blocks for no time at all.
        WaitNow = "wait-now", Some(Operation::WaitTimeout);
        /// Makes a future that borrows the token.
        Future = "future", Some(Operation::Cancelled);
        /// Makes a future that owns the token.
        FutureOwned = "future-owned", Some(Operation::CancelledOwned);
    }
    /// What is done with a registration.
    RegistrationOp {
        /// Removes the callback, without waiting.
        Unregister = "unregister", Some(Operation::Unregister);
        /// Disposes the registration.
        Dispose = "dispose", Some(Operation::Dispose);
        /// Disposes the registration, and polls once whether that is over.
        DisposeAsync = "dispose-async", Some(Operation::DisposeAsync);
        /// Leaves the callback registered.
        Detach = "detach", Some(Operation::Detach);
        /// Whether it is empty.
        IsEmpty = "is-empty", None;
        /// Which token it was made on.
        Token = "token-of", Some(Operation::RegistrationToken);
    }
    /// What is done with a future.
    FutureOp {
        /// Polls it.
        Poll = "poll", None;
        /// Polls it with a waker that panics with the future's number.
        PollAlarmed = "poll-alarmed", None;
        /// Drops it.
        Drop = "drop-future", None;
    }
    /// What is done with a guard.
    GuardOp {
        /// Drops it: the request.
        Drop = "drop-guard", Some(Operation::DropDropGuard);
        /// Gives it up.
        Disarm = "disarm-guard", Some(Operation::DropGuardDisarm);
        /// Which token it gives.
        Token = "guard-token", Some(Operation::GuardToken);
    }
    /// What is done with a job and its completion.
    JobOp {
        /// Runs the job.
        Run = "run-job", Some(Operation::JobRun);
        /// Drops the job.
        Drop = "drop-job", Some(Operation::DropJob);
        /// Whether the completion is complete.
        IsComplete = "is-complete", Some(Operation::CompletionIsComplete);
        /// Polls the completion.
        Poll = "poll-completion", Some(Operation::CompletionPoll);
        /// Polls the completion with a waker that panics, which nobody is told.
        PollAlarmed = "poll-completion-alarmed", Some(Operation::CompletionPoll);
        /// Waits for the completion, if it is complete; does nothing otherwise.
        Wait = "wait-completion", Some(Operation::CompletionWait);
    }
}

impl Op {
    /// A short name of what is done, whatever it is done with.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::NewTimed(_) => "new-timed",
            Self::Linked(_) => "linked",
            Self::LinkedTimed(..) => "linked-timed",
            Self::Source(op, _) => op.name(),
            Self::CancelBecause(..) => "cancel-because",
            Self::Weak(op, _) => op.name(),
            Self::CancelAfter(..) => "cancel-after",
            Self::Token(op, _) => op.name(),
            Self::TokensEqual(..) => "tokens-equal",
            Self::Register(..) => "register",
            Self::RegisterWithToken(..) => "register-with-token",
            Self::WithCallback(..) => "with-callback",
            Self::Registration(op, _) => op.name(),
            Self::RegistrationsEqual(..) => "registrations-equal",
            Self::RunUntilCancelled(..) => "run-until-cancelled",
            Self::Future(op, _) => op.name(),
            Self::Guard(op, _) => op.name(),
            Self::Job(op, _) => op.name(),
            Self::Advance(_) => "advance",
            Self::Panic(_) => "panic",
            Self::Try(_) => "try",
            Self::AtDrop(_) => "at-drop",
        }
    }
}

impl Op {
    /// The operation of the contract that this is, if it is one.
    #[must_use]
    pub const fn operation(&self) -> Option<Operation> {
        match self {
            Self::New => Some(Operation::New),
            Self::NewTimed(_) => Some(Operation::WithTimeoutOn),
            Self::Linked(_) => Some(Operation::Linked),
            Self::LinkedTimed(..) => Some(Operation::LinkedWithTimeoutOn),
            Self::Source(op, _) => op.operation(),
            Self::CancelBecause(..) => Some(Operation::CancelBecause),
            Self::Weak(op, _) => op.operation(),
            Self::CancelAfter(..) => Some(Operation::CancelAfter),
            Self::Token(op, _) => op.operation(),
            Self::Register(..) => Some(Operation::Register),
            Self::RegisterWithToken(..) => Some(Operation::RegisterWithToken),
            Self::WithCallback(..) => Some(Operation::WithCallback),
            Self::Registration(op, _) => op.operation(),
            Self::RunUntilCancelled(..) => Some(Operation::RunUntilCancelled),
            Self::Guard(op, _) => op.operation(),
            Self::Job(op, _) => op.operation(),
            Self::Advance(_) => Some(Operation::Advance),
            Self::TokensEqual(..) | Self::RegistrationsEqual(..) => None,
            Self::Future(..) | Self::Panic(_) | Self::Try(_) | Self::AtDrop(_) => None,
        }
    }
}

/// Names a callback: how many were handed to a token before it.
pub type Label = u32;

/// What can be observed, in the order in which it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An operation is over; one that panicked gives its answer where the panic is caught.
    Answer(Answer),
    /// A callback starts.
    Runs {
        /// Which.
        label: Label,
        /// Whether its token reads cancelled and is the one that it was registered on.
        sees_request: bool,
    },
    /// A closure was dropped. In a row of such events the order does not count.
    Dropped(Label),
    /// The error of this number was dropped while objects are there that could have kept it.
    ErrorDropped(u8),
    /// A waker was called. The order does not count either.
    Woken(Waiter),
}

/// Whose waker it is, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waiter {
    /// A future's.
    Future(usize),
    /// A completion's.
    Completion(usize),
}

/// What an operation answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// There was nothing to do it with.
    Void,
    /// It is done.
    Done,
    /// Yes or no.
    Bool(bool),
    /// The number of a token.
    Token(usize),
    /// Why a source is cancelled; `None`: it is not.
    Cause(Option<Cause>),
    /// A future is not ready.
    Pending,
    /// A future ended because of the request.
    Cancelled,
    /// A future ended with an output.
    Output,
    /// An error that holds what callbacks panicked with.
    Failed(Payload),
    /// A panic, where it was caught.
    Panicked(Payload),
}

/// Why a source is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// By a call that gives no reason.
    Requested,
    /// By a timer.
    TimedOut,
    /// Because of the error of this number.
    Error(u8),
}

/// What a panic carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// [`Op::Panic`]'s number.
    Number(u32),
    /// What the callbacks of one request panicked with, in order.
    Callbacks(Vec<Payload>),
}
