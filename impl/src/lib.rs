//! Cooperative cancellation with .NET's semantics.
//!
//! Whoever may request cancellation holds a [`CancellationTokenSource`]; whoever must observe it holds a
//! [`CancellationToken`], which is passed on explicitly and polled or given callbacks. Sources are
//! [linked](CancellationTokenSource::linked), so that one request reaches many.
//!
//! ```
//! use rescind::CancellationTokenSource;
//!
//! let source = CancellationTokenSource::new();
//! let token = source.token();
//! let registration = token.register(|| println!("closing the socket"));
//! assert!(source.cancel()); // runs the callback, here
//! assert!(token.is_cancelled());
//! drop(registration);
//! ```
//!
//! Every atomic access is a row of one table ([`Site`](sites::Site)) and is on trial in the project's audit. The code
//! is generic over [`weakest::Platform`], which users never see: the types here are those of the native platform, and
//! the same source runs under model checkers.

mod callback;
mod error;
mod links;
mod list;
mod node;
mod notify;
mod panics;
mod registration;
mod shared;
pub mod sites;
mod source;
mod token;

use weakest::Native;

pub use panics::CallbackPanics;

/// The same types over any platform, for the explorers.
pub mod generic {
    pub use crate::error::Cancelled;
    pub use crate::registration::Registration;
    pub use crate::source::CancellationTokenSource;
    pub use crate::token::CancellationToken;
}

pub use aliases::{CancellationToken, CancellationTokenSource, Cancelled, Registration};

mod aliases {
    use super::{Native, generic};

    /// [`generic::CancellationTokenSource`] on the machine itself.
    pub type CancellationTokenSource = generic::CancellationTokenSource<Native>;
    /// [`generic::CancellationToken`] on the machine itself.
    pub type CancellationToken = generic::CancellationToken<Native>;
    /// [`generic::Registration`] on the machine itself.
    pub type Registration = generic::Registration<Native>;
    /// [`generic::Cancelled`] on the machine itself.
    pub type Cancelled = generic::Cancelled<Native>;
}
