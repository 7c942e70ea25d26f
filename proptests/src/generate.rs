//! Random histories.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;
use rescind_spec::history::{FutureOp, GuardOp, JobOp, Op, RegistrationOp, SourceOp, Ticks, TokenOp, WeakOp};

use crate::threads::Plan;

/// How deep bodies are nested in bodies.
const DEPTH: u32 = 3;
/// Numbers of objects; larger ones would rarely mean another object.
const NUMBERS: usize = 12;

/// Which operations a history is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// All of them.
    Whole,
    /// Those that .NET has and whose outcome does not hang on time or on other threads.
    Shared,
    /// Those, and time by the manual clock; no resets, which .NET refuses for such a clock's timer.
    Clocked,
}

fn number() -> impl Strategy<Value = usize> + Clone {
    0..NUMBERS
}

/// A delay that .NET never sees the end of; on the whole surface, any.
fn delay(surface: Surface) -> BoxedStrategy<Ticks> {
    match surface {
        Surface::Shared => (1..=20_u8).boxed(),
        Surface::Clocked => (0..20_u8).boxed(),
        Surface::Whole => prop_oneof![8 => 0..20_u8, 1 => Just(Ticks::MAX)].boxed(),
    }
}

/// One of these, as often as its weight says.
fn weighted<T: Copy + std::fmt::Debug + 'static>(all: &[(u32, T)]) -> Union<Just<T>> {
    Union::new_weighted(all.iter().map(|&(weight, value)| (weight, Just(value))).collect())
}

/// Operations without bodies.
fn plain(surface: Surface) -> BoxedStrategy<Op> {
    use RegistrationOp as R;
    use SourceOp as S;
    use TokenOp as T;
    let mut source = vec![
        (2, S::Clone),
        (3, S::Drop),
        (1, S::IsCancelled),
        (3, S::Cancel),
        (3, S::TryCancel),
        (3, S::CancelFailFast),
        (1, S::Disarm),
    ];
    let mut token = vec![(1, T::IsCancelled), (1, T::CanBeCancelled), (1, T::Check), (1, T::Wait), (1, T::WaitNow)];
    let registration =
        [(3, R::Unregister), (2, R::Dispose), (1, R::DisposeAsync), (1, R::Detach), (1, R::IsEmpty), (1, R::Token)];
    if surface != Surface::Clocked {
        source.push((3, S::TryReset));
    }
    if surface == Surface::Whole {
        source.extend([(1, S::CancelAsync), (2, S::CancelOn), (2, S::Guard), (3, S::Downgrade)]);
        token.extend([(2, T::Future), (2, T::FutureOwned), (2, T::Cause)]);
    }
    let timeout = delay(surface).prop_union(Just(0).boxed());
    let shared = prop_oneof![
        4 => Just(Op::New),
        1 => timeout.prop_map(Op::NewTimed),
        5 => vec(number(), 0..5).prop_map(Op::Linked),
        14 => (weighted(&source), number()).prop_map(|(op, n)| Op::Source(op, n)),
        1 => (number(), delay(surface)).prop_map(|(n, delay)| Op::CancelAfter(n, delay)),
        4 => (weighted(&token), number()).prop_map(|(op, n)| Op::Token(op, n)),
        1 => (number(), number()).prop_map(|(a, b)| Op::TokensEqual(a, b)),
        9 => (weighted(&registration), number()).prop_map(|(op, n)| Op::Registration(op, n)),
        1 => (number(), number()).prop_map(|(a, b)| Op::RegistrationsEqual(a, b)),
    ];
    match surface {
        Surface::Shared => shared.boxed(),
        Surface::Clocked => {
            let time = prop_oneof![
                2 => (1..8_u8).prop_map(Op::NewTimed),
                2 => (number(), delay(surface)).prop_map(|(n, delay)| Op::CancelAfter(n, delay)),
                3 => (0..6_u8).prop_map(Op::Advance),
            ];
            prop_oneof![6 => shared, 1 => time].boxed()
        }
        Surface::Whole => prop_oneof![5 => shared, 2 => own(), 1 => crowded()].boxed(),
    }
}

/// Timers that fall due together, and what waits on a child: rare where each number is drawn for itself.
fn crowded() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (1..4_u8).prop_map(Op::NewTimed),
        2 => (2..NUMBERS).prop_map(|n| Op::Linked(vec![n])),
        1 => (2..NUMBERS, 1..4_u8).prop_map(|(n, delay)| Op::LinkedTimed(vec![n], delay)),
        2 => (number(), 1..4_u8).prop_map(|(n, delay)| Op::CancelAfter(n, delay)),
        2 => (2..NUMBERS).prop_map(|n| Op::Register(n, Vec::new())),
        2 => (2..NUMBERS).prop_map(|n| Op::Token(TokenOp::Future, n)),
        3 => number().prop_map(|n| Op::Future(FutureOp::Poll, n)),
        1 => (1..4_u8).prop_map(Op::Advance),
    ]
}

/// What .NET has not, or not in this form.
fn own() -> BoxedStrategy<Op> {
    let future = weighted(&[(3, FutureOp::Poll), (1, FutureOp::PollAlarmed), (1, FutureOp::Drop)]);
    let guard = weighted(&[(4, GuardOp::Drop), (2, GuardOp::Disarm), (1, GuardOp::Token)]);
    let weak = weighted(&[(4, WeakOp::Upgrade), (3, WeakOp::Cancel), (1, WeakOp::Token), (1, WeakOp::Drop)]);
    let jobs = weighted(&[
        (2, JobOp::Run),
        (1, JobOp::Drop),
        (1, JobOp::IsComplete),
        (2, JobOp::Poll),
        (1, JobOp::PollAlarmed),
        (1, JobOp::Wait),
    ]);
    prop_oneof![
        1 => (number(), 0..4_u8).prop_map(|(n, polls)| Op::RunUntilCancelled(n, polls)),
        4 => (future, number()).prop_map(|(op, n)| Op::Future(op, n)),
        2 => (guard, number()).prop_map(|(op, n)| Op::Guard(op, n)),
        3 => (weak, number()).prop_map(|(op, n)| Op::Weak(op, n)),
        3 => (number(), any::<u8>()).prop_map(|(n, error)| Op::CancelBecause(n, error)),
        2 => (vec(number(), 0..4), delay(Surface::Whole)).prop_map(|(tokens, delay)| Op::LinkedTimed(tokens, delay)),
        2 => (jobs, number()).prop_map(|(op, n)| Op::Job(op, n)),
        1 => (0..10_u8).prop_map(Op::Advance),
    ]
    .boxed()
}

fn nested(surface: Surface, depth: u32) -> BoxedStrategy<Op> {
    let plain = plain(surface);
    let panic = any::<u8>().prop_map(|n| Op::Panic(n.into()));
    if depth == 0 {
        return prop_oneof![8 => plain, 2 => panic].boxed();
    }
    let inner = nested(surface, depth - 1);
    let body = vec(inner.clone(), 0..4);
    let callback = match surface {
        Surface::Shared | Surface::Clocked => body.clone().boxed(),
        Surface::Whole => (body.clone(), dropping(&inner)).prop_map(|(body, drop)| [body, drop].concat()).boxed(),
    };
    prop_oneof![
        12 => plain,
        9 => (number(), callback.clone()).prop_map(|(n, body)| Op::Register(n, body)),
        3 => (number(), callback.clone()).prop_map(|(n, body)| Op::RegisterWithToken(n, body)),
        3 => (number(), callback, body).prop_map(|(n, callback, body)| Op::WithCallback(n, callback, body)),
        2 => inner.prop_map(|op| Op::Try(Box::new(op))),
        1 => panic,
    ]
    .boxed()
}

/// What a closure does when it is dropped: mostly nothing.
fn dropping(inner: &BoxedStrategy<Op>) -> impl Strategy<Value = Vec<Op>> + Clone + use<> {
    prop_oneof![
        6 => Just(Vec::new()),
        1 => any::<u8>().prop_map(|n| vec![Op::AtDrop(vec![Op::Panic(n.into())])]),
        2 => vec(inner.clone(), 1..4).prop_map(|ops| vec![Op::AtDrop(ops)]),
    ]
}

/// One operation of the top level.
pub fn op(surface: Surface) -> BoxedStrategy<Op> {
    let any = nested(surface, DEPTH);
    match surface {
        Surface::Whole => any,
        // .NET runs the callbacks on another thread, which must not meet one that notifies further up the stack.
        Surface::Shared | Surface::Clocked => prop_oneof![
            30 => any,
            1 => number().prop_map(|n| Op::Source(SourceOp::CancelAsync, n)),
        ]
        .boxed(),
    }
}

/// Histories of at most this many operations at the top level.
pub fn history(surface: Surface, longest: usize) -> BoxedStrategy<Vec<Op>> {
    vec(op(surface), 1..=longest).boxed()
}

/// Histories of what .NET has, too; one in three by the manual clock, which it moves.
pub fn with_dotnet(longest: usize) -> BoxedStrategy<Vec<Op>> {
    let clocked = history(Surface::Clocked, longest);
    let clocked = clocked.prop_map(|history| [vec![Op::Advance(0)], history].concat());
    prop_oneof![2 => history(Surface::Shared, longest), 1 => clocked].boxed()
}

/// Histories that begin with a chain of three sources and two that time out together, each with a callback and with a
/// future that waits.
pub fn populated(longest: usize) -> BoxedStrategy<Vec<Op>> {
    let sources = [Op::New, Op::Linked(vec![2]), Op::Linked(vec![3]), Op::NewTimed(3), Op::NewTimed(3)];
    let tokens = 2..2 + sources.len();
    let waiting = tokens.flat_map(|token| {
        [Op::Register(token, Vec::new()), Op::Token(TokenOp::FutureOwned, token), Op::Future(FutureOp::Poll, token - 2)]
    });
    let beginning: Vec<_> = sources.into_iter().chain(waiting).collect();
    history(Surface::Whole, longest).prop_map(move |rest| beginning.iter().cloned().chain(rest).collect()).boxed()
}

/// Histories dealt out to two to four threads.
pub fn plan(longest: usize) -> BoxedStrategy<Plan> {
    let beginning = prop_oneof![
        1 => history(Surface::Whole, 6),
        2 => populated(4),
        2 => contended(),
    ];
    let dealt = vec((0..4_usize, op(Surface::Whole)), 1..=longest);
    let every = prop_oneof![2 => Just(0), 1 => 1..4_u32];
    (beginning, dealt, 2..=4_usize, any::<u64>(), any::<bool>(), every.clone(), every)
        .prop_map(|(before, dealt, threads, deal, closing, bombs, alarms)| Plan {
            before,
            dealt,
            threads,
            deal,
            closing,
            bombs,
            alarms,
            drops: false,
            pokes: true,
        })
        .boxed()
}

/// One source with some callbacks, and one linked to it.
fn contended() -> BoxedStrategy<Vec<Op>> {
    let body = || vec(nested(Surface::Whole, 0), 0..3);
    let registered = vec((2..4_usize, body()).prop_map(|(token, body)| Op::Register(token, body)), 1..4);
    let first = prop_oneof![Just(Op::New), Just(Op::NewTimed(3))];
    let sources =
        (first, any::<bool>()).prop_map(|(first, linked)| [first, Op::Linked(vec![if linked { 2 } else { 0 }])]);
    (sources, registered).prop_map(|(sources, registered)| sources.into_iter().chain(registered).collect()).boxed()
}
