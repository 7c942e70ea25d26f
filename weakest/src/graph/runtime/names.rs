//! Numbers of locations and threads, the same in every execution.

use super::{Fresh, context};
use crate::graph::clock::MAX_THREADS;

/// Numbers of things by who makes them: the k-th one that a thread makes has the same number in every execution.
#[derive(Debug, Default)]
pub(in crate::graph) struct Names {
    numbers: Vec<Vec<usize>>,
    /// How many each thread has made in this execution.
    pub(super) made: [usize; MAX_THREADS],
    pub(in crate::graph) next: usize,
}

impl Names {
    /// The number of the next thing that `maker` makes.
    pub(super) fn next(&mut self, maker: usize) -> usize {
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

/// The location of what lives at `address` as long as the program, with its initial value.
pub(in crate::graph) fn location_of_static(address: usize, init: u64) -> usize {
    context(|context| {
        let next = &mut context.locations.next;
        let location = *context.statics.entry(address).or_insert_with(|| {
            *next += 1;
            *next - 1
        });
        context.fresh.push(Fresh { location, place: None, init, addresses: false });
        location
    })
}
