//! Plain memory that threads share, and its name.
#![expect(unsafe_code, reason = "the contracts of shared plain memory are unsafe to promise")]

use core::ops::{Deref, DerefMut};

/// What a [`Cell`] holds and which rule or guarantee keeps its accesses apart: an explorer that finds a race on the
/// cell reports that rule as broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellName {
    /// What it holds, for people.
    pub what: &'static str,
    /// Id of the rule or guarantee that a race would break.
    pub rule: &'static str,
}

impl CellName {
    /// Names a cell.
    #[must_use]
    pub const fn new(what: &'static str, rule: &'static str) -> Self {
        Self { what, rule }
    }
}

/// Plain memory shared between threads.
///
/// # Safety
/// Unsafe code believes that [`with`](Self::with) and [`with_mut`](Self::with_mut) call the closure once, on the calling
/// thread and before they return, or unwind without calling it; that all of them on one cell lend the same value, which
/// is the one that the cell was made with until a closure changes it; and that nothing else accesses that value. The
/// guards of [`read`](Self::read) and [`write`](Self::write) lend that same value.
pub unsafe trait Cell<T> {
    /// What [`read`](Self::read) returns.
    type Ref<'a>: Deref<Target = T>
    where
        Self: 'a;

    /// What [`write`](Self::write) returns.
    type RefMut<'a>: DerefMut<Target = T>
    where
        Self: 'a;

    /// A new cell that holds `value`.
    fn new(name: CellName, value: T) -> Self;

    /// Reads the value. The closure must not call the platform.
    ///
    /// # Safety
    /// No thread writes the cell meanwhile: every write is ordered before or after this access.
    unsafe fn with<R>(&self, read: impl FnOnce(&T) -> R) -> R;

    /// Writes the value. The closure must not call the platform.
    ///
    /// # Safety
    /// No thread accesses the cell meanwhile: every access is ordered before or after this one.
    unsafe fn with_mut<R>(&self, write: impl FnOnce(&mut T) -> R) -> R;

    /// Reads the value for as long as the guard lives: a reference natively. The platform may be called meanwhile. An
    /// explorer takes the access to last as long as the guard does: a write in between, or one that is not ordered with
    /// both ends of it, is a race, and one of the guard's own thread is refused by name. A guard that is forgotten never
    /// ends.
    ///
    /// # Safety
    /// No thread writes the cell while the guard lives: every write is ordered before its begin or after its end.
    unsafe fn read(&self) -> Self::Ref<'_>;

    /// Writes the value for as long as the guard lives: a mutable reference natively. As [`read`](Self::read), but no
    /// other access at all may come in between.
    ///
    /// # Safety
    /// No thread accesses the cell while the guard lives, but through the guard: every other access is ordered before
    /// its begin or after its end.
    unsafe fn write(&self) -> Self::RefMut<'_>;
}
