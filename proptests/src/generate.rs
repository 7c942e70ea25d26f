//! Random histories.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rescind_spec::history::{Op, RegistrationOp, SourceOp, TokenOp};

/// How deep bodies are nested in bodies.
const DEPTH: u32 = 3;
/// Numbers of objects; larger ones would rarely mean another object.
const NUMBERS: usize = 12;

fn number() -> impl Strategy<Value = usize> + Clone {
    0..NUMBERS
}

fn plain() -> BoxedStrategy<Op> {
    use RegistrationOp as R;
    use SourceOp as S;
    use TokenOp as T;
    let source = vec![
        (2, S::Clone),
        (3, S::Drop),
        (1, S::IsCancelled),
        (3, S::Cancel),
        (3, S::TryCancel),
        (3, S::CancelFailFast),
    ];
    let source = prop::strategy::Union::new_weighted(source.into_iter().map(|(w, op)| (w, Just(op))).collect());
    let token = select(&[T::IsCancelled, T::CanBeCancelled, T::Check][..]);
    let registration = select(
        &[R::Unregister, R::Unregister, R::Unregister, R::Dispose, R::Dispose, R::Detach, R::IsEmpty, R::Token][..],
    );
    prop_oneof![
        4 => Just(Op::New),
        5 => vec(number(), 0..5).prop_map(Op::Linked),
        12 => (source, number()).prop_map(|(op, n)| Op::Source(op, n)),
        3 => (token, number()).prop_map(|(op, n)| Op::Token(op, n)),
        1 => (number(), number()).prop_map(|(a, b)| Op::TokensEqual(a, b)),
        8 => (registration, number()).prop_map(|(op, n)| Op::Registration(op, n)),
        1 => (number(), number()).prop_map(|(a, b)| Op::RegistrationsEqual(a, b)),
    ]
    .boxed()
}

fn nested(depth: u32) -> BoxedStrategy<Op> {
    let plain = plain();
    if depth == 0 {
        return prop_oneof![8 => plain, 2 => any::<u8>().prop_map(|n| Op::Panic(n.into()))].boxed();
    }
    let inner = nested(depth - 1);
    let body = vec(inner.clone(), 0..4);
    prop_oneof![
        12 => plain,
        9 => (number(), body.clone()).prop_map(|(n, body)| Op::Register(n, body)),
        3 => (number(), body.clone()).prop_map(|(n, body)| Op::RegisterWithToken(n, body)),
        3 => (number(), body.clone(), body).prop_map(|(n, callback, body)| Op::WithCallback(n, callback, body)),
        2 => inner.prop_map(|op| Op::Try(Box::new(op))),
        1 => any::<u8>().prop_map(|n| Op::Panic(n.into())),
    ]
    .boxed()
}

/// One operation, with bodies.
pub fn op() -> BoxedStrategy<Op> {
    nested(DEPTH)
}

/// Histories of at most this many operations at the top level.
pub fn history(longest: usize) -> BoxedStrategy<Vec<Op>> {
    vec(op(), 1..=longest).boxed()
}
