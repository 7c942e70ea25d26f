//! Groups run by criterion.

use criterion::{BenchmarkId, Criterion, Throughput};

use crate::{Row, groups};

/// Runs the groups whose names contain `name`, as the command line says.
pub fn run(name: &str) {
    let mut criterion = Criterion::default().configure_from_args();
    for group in groups(name) {
        let mut bench = criterion.benchmark_group(group.name);
        for Row { subject, n, elements, mut measure } in group.rows {
            bench.sample_size(if n < 100_000 { 100 } else { 10 });
            bench.throughput(Throughput::Elements(elements));
            bench.bench_function(BenchmarkId::new(subject, n), |bencher| {
                bencher
                    .iter_custom(|times| std::iter::repeat_with(|| measure(times)).flatten().next().expect("endless"));
            });
        }
    }
    criterion.final_summary();
}
