//! Registrations: a callback's place in the list, and how to be rid of it.
#![expect(unsafe_code, reason = "a registration owns its callback's node")]

use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{RefUnwindSafe, UnwindSafe};

use weakest::{Platform, Ptr};

use crate::callback::{Callback, Small};
use crate::disposal::{EndOf, Registered, leave};
use crate::handle::{Handle, hold, let_go};
use crate::list::{Callbacks, List};
use crate::node::{Kind, NodePtr, Pooled, Words};
use crate::pool::{self, Remains};
use crate::shared::{Locked, Seen, Shared};
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

/// Why a callback was not registered.
pub(crate) enum Refusal {
    /// Cancelled already: the callback is to be called here.
    Cancelled,
    /// Never to be cancelled: the callback is to be dropped.
    Orphaned,
}

/// The lock of a source that can still be cancelled.
#[inline(always)]
pub(crate) fn admit<P: Platform>(source: &Shared<P>, seen: Seen) -> Result<Locked<'_, P>, Refusal> {
    let locked = source.lock(seen);
    if locked.is_live() {
        Ok(locked)
    } else if locked.is_cancelled() {
        Err(Refusal::Cancelled)
    } else {
        Err(Refusal::Orphaned)
    }
}

/// Registers a callback in memory of its own.
///
/// # Safety
/// The node is the caller's, who shares it with the source if this succeeds (node Invariant 4).
#[inline]
unsafe fn register_boxed<P: Platform>(source: &Shared<P>, seen: Seen, node: NodePtr<P>) -> Result<NodePtr<P>, Refusal> {
    let mut locked = admit(source, seen)?;
    // SAFETY: the node is the caller's, and lives as node Invariant 4 says.
    unsafe { Callbacks::push(&mut locked, node) };
    hold(&mut locked);
    Ok(node)
}

/// Registers a small callback in a node of the source's pool, or in a new one.
///
/// # Safety
/// The words are those of a closure of this kind, and the source's if this succeeds.
#[inline]
unsafe fn register_small<P: Platform>(
    source: &Shared<P>,
    seen: Seen,
    kind: &'static Kind<P>,
    words: Words,
) -> Result<NodePtr<P>, Refusal> {
    let mut locked = admit(source, seen)?;
    let node = match pool::take(&mut locked) {
        Some(node) => node,
        None => {
            drop(locked);
            let new = Ptr::allocate(Pooled::new(kind));
            locked = match admit(source, seen) {
                Ok(locked) => locked,
                Err(refusal) => {
                    // SAFETY: nobody else knows the node.
                    unsafe { new.release() };
                    return Err(refusal);
                }
            };
            new.cast()
        }
    };
    // SAFETY: the node is new or out of the pool, and so is this thread's; the words are the caller's.
    unsafe { pool::fill(&mut locked, node, kind, words) };
    // SAFETY: the node is this thread's, and lives as node Invariant 4 says.
    unsafe { Callbacks::push(&mut locked, node) };
    hold(&mut locked);
    Ok(node)
}

#[inline]
pub(crate) fn register<P: Platform, F>(token: &CancellationToken<P>, source: &Handle<P>, callback: F) -> Registration<P>
where
    F: FnOnce(&CancellationToken<P>) + Send + 'static,
{
    let seen = source.poll();
    if seen.is_cancelled() {
        callback(token);
        return Registration::empty();
    }
    let (refusal, callback) = match Small::<P, F>::pack(callback) {
        // SAFETY: the words were packed from an `F`, whose kind this is.
        Ok(words) => match unsafe { register_small(source, seen, Small::<P, F>::KIND, words) } {
            Ok(node) => return Registration::of(source, node),
            // SAFETY: the words were packed just now, and nobody else has them.
            Err(refusal) => (refusal, Some(unsafe { Small::<P, F>::unpack(words) })),
        },
        Err(callback) => {
            let node = Callback::<P, F>::boxed(callback);
            // SAFETY: nobody else knows the node yet.
            match unsafe { register_boxed(source, seen, node) } {
                Ok(node) => return Registration::of(source, node),
                Err(refusal) => {
                    // SAFETY: node Invariant 3: the node is Idle, and nobody else knows it.
                    let callback = unsafe { Callback::<P, F>::take(node) };
                    // SAFETY: as above.
                    unsafe { Callback::<P, F>::release(node) };
                    (refusal, callback)
                }
            }
        }
    };
    if let (Refusal::Cancelled, Some(callback)) = (refusal, callback) {
        callback(token);
    }
    Registration::empty()
}

impl<P: Platform> Registration<P> {
    pub(crate) const fn empty() -> Self {
        Self { registered: None }
    }

    /// A registration that owns one hold on the source, and its part of the node.
    #[inline]
    fn of(source: &Handle<P>, node: NodePtr<P>) -> Self {
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
    fn drop(&mut self) {
        if P::failed() {
            return;
        }
        let Some(registered) = self.registered.take() else {
            return;
        };
        // SAFETY: this registration's part of the node is given up here.
        let (locked, remains) = unsafe { leave(registered.state(), Seen::HELD, registered.node) };
        // SAFETY: the hold is this registration's, which is gone.
        let released = unsafe { let_go(locked, registered.source) };
        remains.unwrap_or(Remains::Nothing).clear_last(released);
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
