//! A seqlock of two words: readers write nothing, and notice that they read a torn value.

use weakest::sync::Arc;
use weakest::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use weakest::sync::atomic::{AtomicUsize, fence};
use weakest::thread::spawn;

struct SeqLock {
    /// Odd while a write goes on.
    sequence: AtomicUsize,
    words: [AtomicUsize; 2],
}

impl SeqLock {
    fn new() -> Self {
        Self { sequence: AtomicUsize::new(0), words: [AtomicUsize::new(0), AtomicUsize::new(0)] }
    }

    /// By one thread only.
    fn write(&self, values: [usize; 2]) {
        let sequence = self.sequence.load(Relaxed);
        self.sequence.store(sequence + 1, Relaxed);
        fence(Release);
        self.words.iter().zip(values).for_each(|(word, value)| word.store(value, Relaxed));
        self.sequence.store(sequence + 2, Release);
    }

    /// `None`: a write went on meanwhile.
    fn read(&self) -> Option<[usize; 2]> {
        let before = self.sequence.load(Acquire);
        let values = [self.words[0].load(Relaxed), self.words[1].load(Relaxed)];
        fence(Acquire);
        let after = self.sequence.load(Relaxed);
        (before == after && before.is_multiple_of(2)).then_some(values)
    }
}

/// No value is torn.
fn write_vs_read() {
    let lock = Arc::new(SeqLock::new());
    let theirs = lock.clone();
    let writer = spawn(move || theirs.write([1, 1]));
    if let Some([first, second]) = lock.read() {
        assert_eq!(first, second);
    }
    writer.join().expect("it does not panic");
    assert_eq!(lock.read(), Some([1, 1]));
}

pub(crate) const CHECKS: &[(&str, fn())] = &[("write_vs_read", write_vs_read)];

#[cfg(not(test))]
#[global_allocator]
static MEMORY: weakest::Arena = weakest::Arena;

#[cfg(not(test))]
fn main() {
    weakest::audit(CHECKS).iter().for_each(|found| println!("{found}"));
}
