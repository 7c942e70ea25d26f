//! What threads and locations are called: the same in every execution in which they are made by the same steps of the
//! same threads.

use super::clock::MAX_THREADS;

/// Numbers of things by who makes them: the k-th one that a thread makes has the same number in every execution.
#[derive(Debug, Clone, Default)]
struct Names {
    numbers: Vec<Vec<usize>>,
    /// How many each thread has made in this execution.
    made: [usize; MAX_THREADS],
    next: usize,
}

impl Names {
    /// The number of the next thing that `maker` makes.
    fn next(&mut self, maker: usize) -> usize {
        if self.numbers.len() <= maker {
            self.numbers.resize_with(maker + 1, Vec::new);
        }
        let place = self.made[maker];
        self.made[maker] += 1;
        if place == self.numbers[maker].len() {
            self.numbers[maker].push(self.next);
            self.next += 1;
        }
        self.numbers[maker][place]
    }
}

/// The numbers of threads and locations.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbering {
    locations: Names,
    threads: Names,
    /// The locations of the threads' park tokens.
    tokens: [Option<usize>; MAX_THREADS],
}

impl Numbering {
    /// Nothing is made yet, but the numbers stay.
    pub(super) fn start_execution(&mut self) {
        self.locations.made = [0; MAX_THREADS];
        self.threads.made = [0; MAX_THREADS];
        // The main thread has the number 0.
        self.threads.next = self.threads.next.max(1);
    }

    /// The next location that `maker` makes.
    pub(super) fn location(&mut self, maker: usize) -> usize {
        self.locations.next(maker)
    }

    /// The next thread that `maker` makes.
    pub(super) fn thread(&mut self, maker: usize) -> usize {
        self.threads.next(maker)
    }

    /// The location of a thread's park token.
    pub(super) fn token(&mut self, thread: usize) -> usize {
        let next = &mut self.locations.next;
        *self.tokens[thread].get_or_insert_with(|| {
            *next += 1;
            *next - 1
        })
    }

    /// The locations of all park tokens.
    pub(super) fn tokens(&self) -> impl Iterator<Item = usize> {
        self.tokens.iter().flatten().copied()
    }
}
