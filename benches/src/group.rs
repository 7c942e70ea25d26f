//! Groups, rows, and how an operation is timed.

use std::cell::LazyCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The token, as a row's subject.
pub const OURS: &str = "rescind";
/// The least that the operation can cost, as a row's subject.
pub const LIMIT: &str = "limit";

/// Does an operation so many times, and says how long that took; `None` if the measurement is void.
pub type Measure = Box<dyn FnMut(u64) -> Option<Duration>>;

/// One operation, by all who are compared.
pub struct Group {
    /// The operation.
    pub name: &'static str,
    /// Two threads do it at once.
    pub contended: bool,
    /// The rows.
    pub rows: Vec<Row>,
}

/// One operation by one subject.
pub struct Row {
    /// Who does it.
    pub subject: &'static str,
    /// How many callbacks, levels, siblings there are, where the group varies that; else 1.
    pub n: u64,
    /// How many of what is counted one operation handles: a request with 10 callbacks counts 10.
    pub elements: u64,
    /// Measures it.
    pub measure: Measure,
}

impl Group {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, contended: false, rows: Vec::new() }
    }

    pub(crate) const fn contended(name: &'static str) -> Self {
        Self { name, contended: true, rows: Vec::new() }
    }

    /// With another row.
    pub(crate) fn row(self, subject: &'static str, measure: Measure) -> Self {
        self.add(Row { subject, n: 1, elements: 1, measure })
    }

    /// With another row, of an operation whose costs may depend on `n`.
    pub(crate) fn row_at(self, subject: &'static str, n: u64, measure: Measure) -> Self {
        self.add(Row { subject, n, elements: 1, measure })
    }

    /// With another row, of an operation that handles `n` elements.
    pub(crate) fn row_of(self, subject: &'static str, n: u64, measure: Measure) -> Self {
        self.add(Row { subject, n, elements: n.max(1), measure })
    }

    fn add(mut self, row: Row) -> Self {
        self.rows.push(row);
        self
    }
}

/// An operation that needs nothing else.
pub(crate) fn each(mut operation: impl FnMut() + 'static) -> Measure {
    Box::new(move |times| Some(timed(|| (0..times).for_each(|_| operation()))))
}

/// An operation on a state, which is made when it is first needed.
pub(crate) fn on<S: 'static>(set_up: impl FnOnce() -> S + 'static, operation: impl Fn(&S) + 'static) -> Measure {
    looped(set_up, move |state, times| (0..times).for_each(|_| operation(state)))
}

/// As [`on`], for an operation that loops by itself.
pub(crate) fn looped<S: 'static>(
    set_up: impl FnOnce() -> S + 'static,
    operations: impl Fn(&S, u64) + 'static,
) -> Measure {
    let state = LazyCell::new(set_up);
    Box::new(move |times| {
        let state = &*state;
        Some(timed(|| operations(state, times)))
    })
}

/// An operation on a state that is made anew for each, which is not timed. Nor is the drop of what is left of it. As
/// many states as hold about 512 elements are made at once, so that a short operation is not lost in the clock's.
pub(crate) fn prepared<S>(
    elements: u64,
    mut set_up: impl FnMut() -> S + 'static,
    mut operation: impl FnMut(&mut S) + 'static,
) -> Measure {
    let batch = (512 / elements.max(1)).max(1);
    Box::new(move |times| {
        let mut total = Duration::ZERO;
        for begun in (0..times).step_by(usize::try_from(batch).expect("a small number")) {
            let mut states: Vec<S> = (begun..times.min(begun + batch)).map(|_| set_up()).collect();
            total += timed(|| states.iter_mut().for_each(&mut operation));
        }
        Some(total)
    })
}

fn timed(region: impl FnOnce()) -> Duration {
    let start = Instant::now();
    counted_region(region);
    start.elapsed()
}

/// Callgrind counts within this function, and nowhere else.
#[inline(never)]
fn counted_region(region: impl FnOnce()) {
    region();
}

/// Callgrind writes its counts down and begins anew whenever this is called.
#[inline(never)]
pub fn callgrind_mark() {
    black_box(());
}
