//! Registrations: a callback's place in the list, and how to be rid of it.
#![expect(unsafe_code, reason = "a registration owns its callback's node")]

use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{RefUnwindSafe, UnwindSafe};

use weakest::Platform;

use crate::disposal::{EndOf, Registered};
use crate::handle::Handle;
use crate::list::{Callbacks, List};
use crate::node::NodePtr;
use crate::shared::Seen;
use crate::token::CancellationToken;

/// A registered callback; dropping it is [`dispose`](Self::dispose).
///
/// A registration equals only itself; all empty ones are equal. The default is empty.
///
/// Two callbacks of different sources that dispose each other's registrations from two threads deadlock, as in .NET.
///
/// .NET counterpart: `System.Threading.CancellationTokenRegistration`.
///
/// ```
/// use rescind::{CancellationTokenSource, Registration};
///
/// let source = CancellationTokenSource::new();
/// {
///     let _registration = source.token().register(|| unreachable!("it is removed before"));
/// }
/// source.cancel();
/// assert_eq!(source.token().register(|| ()), Registration::default()); // it ran at once
/// ```
#[doc(alias = "CancellationTokenRegistration")]
#[must_use = "dropping a registration unregisters its callback; `detach` leaves it registered"]
pub struct Registration<P: Platform> {
    registered: Option<Registered<P>>,
}

impl<P: Platform> Registration<P> {
    pub(crate) const fn empty() -> Self {
        Self { registered: None }
    }

    /// A registration that owns one hold on the source, and its part of the node.
    #[inline]
    pub(crate) fn of(source: &Handle<P>, node: NodePtr<P>) -> Self {
        Self { registered: Some(Registered { source: source.ptr(), node }) }
    }

    /// Removes the callback if it has not started; never waits. `true`: it never runs, and its closure has been dropped,
    /// here. `false`: it ran, runs, or was removed before; always so for an empty registration.
    ///
    /// .NET counterpart: `CancellationTokenRegistration.Unregister`.
    ///
    /// # Panics
    /// With the panic of the closure's drop; the callback is removed all the same.
    ///
    /// ```
    /// let source = rescind::CancellationTokenSource::new();
    /// let registration = source.token().register(|| unreachable!("it is removed before"));
    /// assert!(registration.unregister());
    /// assert!(!registration.unregister());
    /// source.cancel();
    /// ```
    #[doc(alias = "Unregister")]
    pub fn unregister(&self) -> bool {
        let Some(registered) = &self.registered else {
            return false;
        };
        // SAFETY: this registration's part keeps the node alive, which is a callback.
        let removed = unsafe { Callbacks::remove(&mut registered.state().lock(Seen::HELD), registered.node) };
        let Some(kind) = removed else {
            return false;
        };
        // SAFETY: node Invariant 3: this thread took the node out of the list.
        unsafe { kind.discard(registered.node) };
        true
    }

    /// Removes the callback; if it runs on another thread, or its closure is being dropped there, waits until that is
    /// over. On the thread that runs the source's callbacks, and so inside any of them, it never waits. Dropping the
    /// registration does the same.
    ///
    /// .NET counterpart: `CancellationTokenRegistration.Dispose`.
    ///
    /// # Panics
    /// With the panic of the closure's drop; the callback is removed all the same.
    ///
    /// ```
    /// use std::sync::{Arc, atomic::{AtomicBool, Ordering}};
    ///
    /// let source = rescind::CancellationTokenSource::new();
    /// let running = Arc::new(AtomicBool::new(false));
    /// let registration = source.token().register({
    ///     let running = running.clone();
    ///     move || {
    ///         running.store(true, Ordering::Relaxed);
    ///         running.store(false, Ordering::Relaxed);
    ///     }
    /// });
    /// let canceller = std::thread::spawn(move || source.cancel());
    /// registration.dispose();
    /// assert!(!running.load(Ordering::Relaxed)); // it has run, or never will
    /// # canceller.join().unwrap();
    /// ```
    #[doc(alias = "Dispose")]
    pub fn dispose(self) {
        drop(self);
    }

    /// Removes the callback, now; the future is ready once a callback that runs on another thread, or its closure's
    /// drop, is over. Inside the source's callbacks it is ready at once. Dropping the future neither waits nor owes
    /// anything.
    ///
    /// .NET counterpart: `CancellationTokenRegistration.DisposeAsync`.
    ///
    /// # Panics
    /// With the panic of the closure's drop; the callback is removed all the same.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let source = rescind::CancellationTokenSource::new();
    /// let registration = source.token().register(|| println!("perhaps"));
    /// let canceller = std::thread::spawn(move || source.cancel());
    /// registration.dispose_async().await; // from here on the callback is not running
    /// # canceller.join().unwrap();
    /// # }
    /// ```
    #[doc(alias = "DisposeAsync")]
    pub fn dispose_async(mut self) -> impl Future<Output = ()> + Send + use<P> {
        self.registered.take().map_or_else(EndOf::over, EndOf::of)
    }

    /// Leaves the callback registered for good.
    ///
    /// .NET counterpart: not disposing the registration.
    ///
    /// ```
    /// use std::sync::mpsc::channel;
    ///
    /// let source = rescind::CancellationTokenSource::new();
    /// let (sender, receiver) = channel();
    /// source.token().register(move || sender.send("cancelled").unwrap()).detach();
    /// source.cancel();
    /// assert_eq!(receiver.recv(), Ok("cancelled"));
    /// ```
    pub fn detach(mut self) {
        if let Some(registered) = self.registered.take() {
            registered.detach().resume();
        }
    }

    /// The token that the callback was registered on; [`CancellationToken::none`] for an empty registration.
    ///
    /// .NET counterpart: `CancellationTokenRegistration.Token`.
    ///
    /// ```
    /// use rescind::{CancellationToken, CancellationTokenSource, Registration};
    ///
    /// let source = CancellationTokenSource::new();
    /// assert_eq!(source.token().register(|| ()).token(), source.token());
    /// assert_eq!(Registration::default().token(), CancellationToken::none());
    /// ```
    #[doc(alias = "Token")]
    #[must_use]
    pub fn token(&self) -> CancellationToken<P> {
        match &self.registered {
            // SAFETY: the hold is this registration's.
            Some(registered) => CancellationToken::of(unsafe { Handle::of_hold(registered.source) }),
            None => CancellationToken::none(),
        }
    }

    fn identity(&self) -> Option<usize> {
        self.registered.as_ref().map(|registered| registered.node.address())
    }
}

impl<P: Platform> Drop for Registration<P> {
    #[inline]
    fn drop(&mut self) {
        if P::failed() {
            return;
        }
        if let Some(Registered { source, node }) = self.registered {
            Registered { source, node }.dispose();
        }
    }
}

impl<P: Platform> Default for Registration<P> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<P: Platform> PartialEq for Registration<P> {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl<P: Platform> Eq for Registration<P> {}

impl<P: Platform> Hash for Registration<P> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl<P: Platform> fmt::Debug for Registration<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.registered {
            Some(registered) => registered.state().describe(f.debug_struct("Registration")),
            None => f.write_str("Registration(empty)"),
        }
    }
}

impl<P: Platform> UnwindSafe for Registration<P> {}
impl<P: Platform> RefUnwindSafe for Registration<P> {}
