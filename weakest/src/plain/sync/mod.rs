//! Locks, counted pointers and channels, as [`std::sync`], and atomics.
//!
//! Each is one location of the execution graph, or a few. A condition variable wakes in the order of waiting, and never
//! spuriously; a lock is given to any thread that waits.

mod arc;
pub mod atomic;
mod barrier;
mod condvar;
pub mod mpsc;
mod mutex;
mod notify;
mod rwlock;
mod weak;

pub use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

pub use arc::Arc;
pub(super) use arc::Counts;
pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use notify::Notify;
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use weak::Weak;
