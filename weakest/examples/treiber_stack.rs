//! Treiber's stack. Popped nodes are left to whoever reclaims them: here, nobody.
#![expect(unsafe_code, reason = "nodes are shared memory")]

use std::ptr::null_mut;

use weakest::cell::UnsafeCell;
use weakest::sync::Arc;
use weakest::sync::atomic::AtomicPtr;
use weakest::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use weakest::thread::spawn;

struct Node {
    value: u32,
    next: UnsafeCell<*mut Node>,
}

struct Stack {
    top: AtomicPtr<Node>,
}

// SAFETY: a node is written before it is pushed, and only read later.
unsafe impl Send for Stack {}
// SAFETY: as above.
unsafe impl Sync for Stack {}

impl Stack {
    fn new() -> Self {
        Self { top: AtomicPtr::new(null_mut()) }
    }

    fn push(&self, value: u32) {
        let mut top = self.top.load(Relaxed);
        let node = Box::into_raw(Box::new(Node { value, next: UnsafeCell::new(top) }));
        while let Err(other) = self.top.compare_exchange(top, node, Release, Relaxed) {
            top = other;
            // SAFETY: the node lives.
            let next = unsafe { &(*node).next };
            // SAFETY: nobody else knows the node until it is pushed.
            next.with_mut(|next| unsafe { *next = top });
        }
    }

    fn pop(&self) -> Option<u32> {
        let mut top = self.top.load(Acquire);
        // SAFETY: nodes are not freed, and what was written before the push is seen.
        while let Some(node) = unsafe { top.as_ref() } {
            // SAFETY: as above.
            let next = node.next.with(|next| unsafe { *next });
            // AcqRel, as is often written: a pop publishes nothing, and what it reads it has read.
            match self.top.compare_exchange(top, next, AcqRel, Acquire) {
                Ok(_) => return Some(node.value),
                Err(other) => top = other,
            }
        }
        None
    }
}

/// Each value comes out once.
fn push_vs_pop() {
    let stack = Arc::new(Stack::new());
    let theirs = stack.clone();
    let other = spawn(move || {
        theirs.push(1);
        theirs.pop()
    });
    stack.push(2);
    let mut popped: Vec<u32> = stack.pop().into_iter().collect();
    popped.extend(other.join().expect("it does not panic"));
    popped.sort_unstable();
    assert_eq!(popped, [1, 2]);
}

pub(crate) const CHECKS: &[(&str, fn())] = &[("push_vs_pop", push_vs_pop)];

#[cfg(not(test))]
#[global_allocator]
static MEMORY: weakest::Arena = weakest::Arena;

#[cfg(not(test))]
fn main() {
    weakest::audit(CHECKS).iter().for_each(|found| println!("{found}"));
}
