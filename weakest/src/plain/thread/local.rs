//! Thread-locals of model threads: made when they are first used, dropped when the thread ends.
#![expect(unsafe_code, reason = "hands out references to values that live until their thread ends")]

use std::fmt;
use std::mem::ManuallyDrop;

use crate::graph::raw;
use crate::plain::execution::{Kept, execution};

/// The value is dropped already: the thread is at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessError;

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the thread-local is dropped already")
    }
}

impl std::error::Error for AccessError {}

/// A value for each thread, as [`std::thread::LocalKey`]; made by [`thread_local!`](crate::thread_local).
pub struct LocalKey<T: 'static> {
    #[doc(hidden)]
    pub init: fn() -> T,
}

impl<T: 'static> LocalKey<T> {
    /// Runs `f` on the running thread's value.
    ///
    /// # Panics
    /// If the value is dropped already.
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.try_with(f).expect("the thread-local is dropped already")
    }

    /// Runs `f` on the running thread's value.
    ///
    /// # Errors
    /// If the value is dropped already.
    ///
    /// # Panics
    /// Outside of a model.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        assert!(raw::in_model(), "this is to be used inside of `weakest::check` only");
        let key = (raw::current(), std::ptr::from_ref(self).addr());
        let find = || execution(|execution| execution.locals.get(&key).map(place::<T>));
        let found = match find() {
            Some(found) => found,
            None => {
                let value = ManuallyDrop::new(Box::new((self.init)()) as Box<dyn std::any::Any>);
                execution(|execution| {
                    execution.locals.insert(key, Kept::Alive(value));
                    execution.made.push(key);
                });
                find().flatten()
            }
        };
        // SAFETY: the box stays where it is until the thread drops it, at its end.
        found.map(|value| f(unsafe { &*value })).ok_or(AccessError)
    }
}

/// Where the value is; `None`: dropped.
fn place<T: 'static>(kept: &Kept) -> Option<*const T> {
    match kept {
        Kept::Alive(value) => Some(std::ptr::from_ref(value.downcast_ref::<T>().expect("a key has one type"))),
        Kept::Dropped => None,
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// Declares [thread-locals](crate::thread::LocalKey), as [`std::thread_local!`].
#[macro_export]
macro_rules! thread_local {
    () => {};
    ($(#[$meta:meta])* $vis:vis static $name:ident: $type:ty = const $init:block $(; $($rest:tt)*)?) => {
        $crate::thread_local!($(#[$meta])* $vis static $name: $type = $init $(; $($rest)*)?);
    };
    ($(#[$meta:meta])* $vis:vis static $name:ident: $type:ty = $init:expr $(; $($rest:tt)*)?) => {
        $(#[$meta])*
        $vis static $name: $crate::thread::LocalKey<$type> = $crate::thread::LocalKey {
            init: {
                fn init() -> $type {
                    $init
                }
                init
            },
        };
        $($crate::thread_local!($($rest)*);)?
    };
}
