//! Register and unregister, uncontended: a borrowed callback, a boxed one, a future polled once and dropped. Limit: two
//! read-modify-writes, for a boxed callback beside one allocation.
#![allow(missing_docs, reason = "criterion's macros generate functions")]

use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Waker};

use criterion::{Criterion, criterion_group, criterion_main};

fn register(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("register");

    let word = AtomicU32::new(0);
    let two_rmws = |word: &AtomicU32| {
        word.fetch_add(1, Ordering::AcqRel);
        word.fetch_sub(1, Ordering::AcqRel);
    };
    group.bench_function("limit: two RMWs", |bencher| bencher.iter(|| two_rmws(black_box(&word))));
    group.bench_function("limit: two RMWs and an allocation", |bencher| {
        bencher.iter(|| {
            let allocation = black_box(Box::new([0_u64; 6]));
            two_rmws(black_box(&word));
            allocation
        });
    });

    let source = rescind::CancellationTokenSource::new();
    let token = source.token();
    group.bench_function("rescind: borrowed callback", |bencher| {
        bencher.iter(|| token.with_callback(|| black_box(()), || black_box(())));
    });
    group.bench_function("rescind: boxed callback", |bencher| bencher.iter(|| token.register(|| black_box(()))));

    let mut context = Context::from_waker(Waker::noop());
    group.bench_function("rescind: future", |bencher| {
        bencher.iter(|| pin!(token.cancelled()).as_mut().poll(&mut context).is_ready());
    });
    let token = tokio_util::sync::CancellationToken::new();
    group.bench_function("tokio-util: future", |bencher| {
        bencher.iter(|| pin!(token.cancelled()).as_mut().poll(&mut context).is_ready());
    });

    group.finish();
}

criterion_group!(benches, register);
criterion_main!(benches);
