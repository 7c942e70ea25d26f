//! A ring buffer of `N` places between one producer and one consumer.

use weakest::{Arc, Atomic, Cell, CellName, Native, Platform};

weakest::sites! {
    /// Every atomic access of the ring.
    pub enum Site for "spsc-ring" {
        /// The producer waits for a free place.
        WaitFree { op: Load, ordering: Acquire, serves: ["race"], because: "the consumer has left the place" }
        /// The producer publishes an element.
        Push { op: Store, ordering: Release, serves: ["race"], because: "publishes the element" }
        /// The consumer waits for an element.
        WaitFull { op: Load, ordering: Acquire, serves: ["race"], because: "receives the element" }
        /// The consumer gives the place back.
        Pop { op: Store, ordering: Release, serves: ["race"], because: "the element is out of the place" }
    }
}

struct Ring<T, P: Platform, const N: usize> {
    /// Elements that were ever pushed, and popped: both wrap around.
    pushed: P::AtomicUsize,
    popped: P::AtomicUsize,
    places: [P::Cell<Option<T>>; N],
}

// SAFETY: a place is the producer's from `Pop` to `Push`, and the consumer's from `Push` to `Pop`.
unsafe impl<T: Send, P: Platform, const N: usize> Send for Ring<T, P, N> {}
// SAFETY: as for `Send`.
unsafe impl<T: Send, P: Platform, const N: usize> Sync for Ring<T, P, N> {}

/// The end where elements go in.
pub struct Producer<T, P: Platform = Native, const N: usize = 16> {
    ring: Arc<P, Ring<T, P, N>>,
    pushed: usize,
}

/// The end where they come out, in the same order.
pub struct Consumer<T, P: Platform = Native, const N: usize = 16> {
    ring: Arc<P, Ring<T, P, N>>,
    popped: usize,
}

/// Both ends of an empty ring. `N` is a power of two, so that places go on where the numbers wrap around.
pub fn ring<T, P: Platform, const N: usize>() -> (Producer<T, P, N>, Consumer<T, P, N>) {
    const { assert!(N.is_power_of_two(), "N is a power of two") }
    let places = std::array::from_fn(|_| P::Cell::new(CellName::new("a place", "race"), None));
    let ring = Arc::new(Ring { pushed: P::AtomicUsize::new(0), popped: P::AtomicUsize::new(0), places });
    (Producer { ring: ring.clone(), pushed: 0 }, Consumer { ring, popped: 0 })
}

impl<T, P: Platform, const N: usize> Producer<T, P, N> {
    /// Waits for a free place, spinning, and puts the element there.
    pub fn push(&mut self, element: T) {
        let pushed = self.pushed;
        self.ring.popped.wait_until(Site::WaitFree, |popped| pushed.wrapping_sub(popped) < N);
        // SAFETY: the place is free, and this is the only producer.
        unsafe { *self.ring.places[pushed % N].write() = Some(element) }
        self.pushed = pushed.wrapping_add(1);
        self.ring.pushed.store(self.pushed, Site::Push);
    }
}

impl<T, P: Platform, const N: usize> Consumer<T, P, N> {
    /// Waits for an element, spinning, and takes it out.
    pub fn pop(&mut self) -> T {
        let popped = self.popped;
        self.ring.pushed.wait_until(Site::WaitFull, |pushed| pushed != popped);
        // SAFETY: the place is full, and this is the only consumer.
        let element = unsafe { self.ring.places[popped % N].write().take() };
        self.popped = popped.wrapping_add(1);
        self.ring.popped.store(self.popped, Site::Pop);
        element.expect("the place is full")
    }
}
