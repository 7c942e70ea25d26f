//! Poll: `is_cancelled` of a live token. Limit: one atomic load.
#![allow(missing_docs, reason = "criterion's macros generate functions")]

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};

use criterion::{Criterion, criterion_group, criterion_main};

fn poll(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("poll");

    let flag = AtomicBool::new(false);
    group.bench_function("limit: atomic load", |bencher| bencher.iter(|| black_box(&flag).load(Ordering::Acquire)));

    let source = rescind::CancellationTokenSource::new();
    let token = source.token();
    group.bench_function("rescind", |bencher| bencher.iter(|| black_box(&token).is_cancelled()));

    let token = tokio_util::sync::CancellationToken::new();
    group.bench_function("tokio-util", |bencher| bencher.iter(|| black_box(&token).is_cancelled()));

    group.finish();
}

criterion_group!(benches, poll);
criterion_main!(benches);
