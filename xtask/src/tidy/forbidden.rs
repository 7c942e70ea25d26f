//! The token's shared data, memory and threads go through the platform: an explorer cannot see what does not.

use super::tokens::{Mention, resolved};
use super::{Faults, Source};

/// Paths that the token's sources must not name, without the `std`, `core` or `alloc` that they begin with.
const FORBIDDEN: &[&str] = &[
    "sync",
    "thread::park",
    "thread::park_timeout",
    "thread::yield_now",
    "thread::sleep",
    "thread::sleep_until",
    "thread::spawn",
    "thread::scope",
    "thread::current",
    "thread::Builder",
    "thread::*",
    "cell",
    "rc",
    "boxed::Box::into_raw",
    "boxed::Box::from_raw",
    "boxed::Box::leak",
    "alloc",
    "hint::spin_loop",
];

/// The same, by the short name that the prelude offers.
const PRELUDE: &[&str] = &["Box::into_raw", "Box::from_raw", "Box::leak"];

/// The one file that may name a type of these: what a user gives as a cause is shared with users.
const ALLOWED: (&str, &str) = ("impl/src/cause.rs", "std::sync::Arc");

pub(super) fn no_way_around_the_platform(source: &Source) -> Faults {
    let found = match resolved(&source.text) {
        Ok(found) => found,
        Err(e) => return vec![format!("{}: {e}", source.path)],
    };
    let refused = found.iter().filter(|mention| forbidden(mention) && !allowed(source, mention));
    let mut faults: Faults = refused.map(|mention| fault(source, mention)).collect();
    faults.dedup();
    faults
}

fn fault(source: &Source, mention: &Mention) -> String {
    format!("{}:{}: names `{}`; use the platform", source.path, mention.line, mention.joined())
}

fn allowed(source: &Source, mention: &Mention) -> bool {
    let (path, name) = ALLOWED;
    source.path == path
        && mention.joined().strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn forbidden(mention: &Mention) -> bool {
    let joined = mention.joined();
    let joined = joined.strip_prefix("r#").unwrap_or(&joined);
    if PRELUDE.contains(&joined) {
        return true;
    }
    let Some(rest) = ["std::", "core::", "alloc::"].iter().find_map(|library| joined.strip_prefix(library)) else {
        return false;
    };
    FORBIDDEN.iter().any(|path| rest == *path || rest.strip_prefix(path).is_some_and(|more| more.starts_with("::")))
}

#[cfg(test)]
mod tests {
    use super::super::rust;
    use super::no_way_around_the_platform;

    /// Whether a file with this code is refused.
    fn refused(code: &str) -> bool {
        !no_way_around_the_platform(&rust("impl/src/x.rs", code)).is_empty()
    }

    #[test]
    fn whatever_an_explorer_cannot_see_is_refused_however_it_is_written() {
        for code in [
            "use std::sync::Mutex;",
            "use core::sync::atomic::AtomicBool;",
            "use std::{fmt, sync::{Arc as Shared}};",
            "fn f() { std::thread::park(); }",
            "use std::thread; fn f() { thread::yield_now(); }",
            "use std::thread as t; fn f() { t::sleep(d); }",
            "use std::thread::*;",
            "use std::thread::{self, panicking}; fn f() { thread::current(); }",
            "struct S(std::cell::UnsafeCell<u32>);",
            "use std::cell::Cell;",
            "use std::rc::Rc;",
            "fn f() { Box::into_raw(b); }",
            "fn f() { std::boxed::Box::<u8>::leak(b); } use std::boxed::Box; fn g() { Box::from_raw(p); }",
            "fn f() { std::alloc::alloc(l); }",
            "fn f() { assert!(std::sync::atomic::fence(o)); }",
        ] {
            assert!(refused(code), "{code}");
        }
    }

    #[test]
    fn the_causes_file_may_name_the_type_that_shares_an_error_and_no_other() {
        let faults = |code: &str| no_way_around_the_platform(&rust("impl/src/cause.rs", code)).len();
        assert_eq!(faults("use std::sync::Arc; fn f(a: &Arc<u32>) { Arc::clone(a); }"), 0);
        assert_eq!(faults("use std::sync::Mutex;"), 1);
    }

    #[test]
    fn the_rest_is_not() {
        for code in [
            "use std::fmt; use weakest::Cell; fn f(c: Cell) { Box::new(c); }",
            "fn f() -> bool { std::thread::panicking() }",
            "// std::sync::Mutex\nfn sync() { let s = \"std::sync::Mutex\"; }",
        ] {
            assert!(!refused(code), "{code}");
        }
    }
}
