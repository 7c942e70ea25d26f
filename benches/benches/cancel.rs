//! Cancel with N callbacks, and with a chain of N linked sources. Limit: a locked pop and a call for each callback.
#![allow(missing_docs, reason = "criterion's macros generate functions")]

use std::hint::black_box;
use std::sync::Mutex;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rescind::CancellationTokenSource;

type Callback = Box<dyn FnOnce() + Send>;

fn callbacks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cancel");
    for n in [1_u64, 10, 1_000, 100_000] {
        group.throughput(Throughput::Elements(n));
        group.bench_with_input(BenchmarkId::new("limit: locked pop and call", n), &n, |bencher, &n| {
            let fill = || Mutex::new((0..n).map(|_| Box::new(|| black_box(())) as Callback).collect::<Vec<_>>());
            bencher.iter_batched(
                fill,
                |list| {
                    while let Some(callback) = list.lock().ok().and_then(|mut list| list.pop()) {
                        callback();
                    }
                },
                BatchSize::LargeInput,
            );
        });
        group.bench_with_input(BenchmarkId::new("rescind", n), &n, |bencher, &n| {
            let fill = || {
                let source = CancellationTokenSource::new();
                let token = source.token();
                (0..n).for_each(|_| token.register(|| black_box(())).detach());
                source
            };
            bencher.iter_batched(fill, |source| source.cancel(), BatchSize::LargeInput);
        });
    }
    group.finish();
}

fn chain(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cancel a chain");
    for n in [10_u64, 1_000, 10_000] {
        group.throughput(Throughput::Elements(n));
        group.bench_with_input(BenchmarkId::new("rescind", n), &n, |bencher, &n| {
            let fill = || {
                let mut sources = vec![CancellationTokenSource::new()];
                for i in 1..n as usize {
                    let token = sources[i - 1].token();
                    sources.push(CancellationTokenSource::linked([&token]));
                }
                sources
            };
            bencher.iter_batched_ref(fill, |sources| sources[0].cancel(), BatchSize::LargeInput);
        });
        group.bench_with_input(BenchmarkId::new("tokio-util", n), &n, |bencher, &n| {
            let fill = || {
                let mut tokens = vec![tokio_util::sync::CancellationToken::new()];
                for i in 1..n as usize {
                    tokens.push(tokens[i - 1].child_token());
                }
                tokens
            };
            bencher.iter_batched_ref(fill, |tokens| tokens[0].cancel(), BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, callbacks, chain);
criterion_main!(benches);
