//! Statics that are made when they are first used, anew in each execution, and dropped at its end.
#![expect(unsafe_code, reason = "hands out references to values that live until the execution ends")]

use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::Location;

use super::execution::{Kept, execution};
use crate::graph::raw::{self, Place, Point, Update};
use crate::site::Ordering::{Acquire, Release};

// Nobody has begun to make it; somebody has; it is made.
const NEW: u64 = 0;
const BEGUN: u64 = 1;
const MADE: u64 = 2;

/// A value that is made when it is first used.
pub struct Lazy<T: 'static> {
    #[doc(hidden)]
    pub init: fn() -> T,
}

impl<T: 'static> Lazy<T> {
    /// The value; waits while another thread makes it.
    ///
    /// # Panics
    /// Outside of a model, and at the end of the execution, when it is dropped already.
    #[track_caller]
    pub fn get(&'static self) -> &'static T {
        assert!(raw::in_model(), "this is to be used inside of `weakest::check` only");
        let key = std::ptr::from_ref(self).addr();
        let knows = (raw::current(), key);
        if !execution(|execution| execution.known.contains(&knows)) {
            self.make(key);
            execution(|execution| execution.known.insert(knows));
        }
        let value = execution(|execution| match execution.statics.get(&key) {
            Some(Kept::Alive(value)) => value.downcast_ref::<T>().map(std::ptr::from_ref),
            _ => None,
        });
        let value = value.expect("a static is not used while statics are dropped");
        // SAFETY: the box stays where it is until the end of the execution.
        unsafe { &*value }
    }

    /// Makes the value if nobody has; it is there afterwards.
    #[track_caller]
    fn make(&'static self, key: usize) {
        let (state, at) = (Point::of_static(key, NEW), Location::caller());
        let look = Place::own(at, "lazy static", Acquire);
        if state.load(0, &look) == MADE {
            return;
        }
        let claim = Update::CompareExchange { expected: NEW, new: BEGUN };
        if state.update(0, claim, false, &look, &look).1 {
            let value = ManuallyDrop::new(Box::new((self.init)()) as Box<dyn std::any::Any>);
            execution(|execution| execution.statics.insert(key, Kept::Alive(value)));
            state.store(0, MADE, &Place::own(at, "lazy static", Release));
        } else {
            state.wait(0, &|state| state == MADE, &look);
        }
    }
}

impl<T: 'static> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lazy").finish_non_exhaustive()
    }
}

/// Declares [statics](crate::lazy_static::Lazy) that are made when they are first used.
#[macro_export]
macro_rules! lazy_static {
    () => {};
    ($(#[$meta:meta])* $vis:vis static ref $name:ident: $type:ty = $init:expr; $($rest:tt)*) => {
        #[allow(missing_copy_implementations, non_camel_case_types, dead_code, reason = "stands for one value")]
        $(#[$meta])*
        #[derive(Debug)]
        $vis struct $name {
            _private: (),
        }
        #[doc(hidden)]
        $vis static $name: $name = $name { _private: () };
        impl ::core::ops::Deref for $name {
            type Target = $type;

            fn deref(&self) -> &$type {
                static VALUE: $crate::lazy_static::Lazy<$type> = $crate::lazy_static::Lazy {
                    init: {
                        fn init() -> $type {
                            $init
                        }
                        init
                    },
                };
                VALUE.get()
            }
        }
        $crate::lazy_static!($($rest)*);
    };
}
