//! Registrations: a callback's place in the list, and how to be rid of it.
#![expect(unsafe_code, reason = "a registration owns its callback's node")]

use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::pin;

use weakest::{Platform, Slot};

use crate::callback::Callback;
use crate::disposal::{EndOf, Registered, Release, discard, leave, settle};
use crate::list::{self, Parting};
use crate::node::{Node, NodePtr};
use crate::shared::{Handle, Shared};
use crate::token::CancellationToken;

/// A registered callback; dropping it is [`dispose`](Self::dispose).
///
/// A registration equals only itself; all empty ones are equal. The default is empty.
///
/// Two callbacks of different sources that dispose each other's registrations from two threads deadlock, as in .NET.
///
/// .NET counterpart: `System.Threading.CancellationTokenRegistration`.
#[doc(alias = "CancellationTokenRegistration")]
#[must_use = "dropping a registration unregisters its callback; `detach` leaves it registered"]
pub struct Registration<P: Platform> {
    registered: Option<Registered<P>>,
}

/// What became of an attempt to register.
enum Admission {
    Linked,
    /// Cancelled already: the callback is to be called here.
    Cancelled,
    /// Never to be cancelled: the callback is to be dropped.
    Orphaned,
}

fn admit<P: Platform>(source: &Shared<P>, node: NodePtr<P>) -> Admission {
    let mut locked = source.lock();
    if locked.is_live() {
        list::push(&mut locked, node);
        Admission::Linked
    } else if locked.is_cancelled() {
        Admission::Cancelled
    } else {
        Admission::Orphaned
    }
}

pub(crate) fn register<P: Platform, F>(token: &CancellationToken<P>, source: &Handle<P>, callback: F) -> Registration<P>
where
    F: FnOnce(&CancellationToken<P>) + Send + 'static,
{
    if source.is_cancelled() {
        callback(token);
        return Registration::empty();
    }
    let node = Callback::<P, F>::boxed(callback);
    match admit(source, node) {
        Admission::Linked => Registration { registered: Some(Registered { source: source.clone(), node }) },
        refused => {
            // SAFETY: node Invariant 3: the node is Idle, and nobody else knows it.
            let callback = unsafe { Callback::<P, F>::take(node) };
            // SAFETY: as above.
            unsafe { list::release(node) };
            if let (Admission::Cancelled, Some(callback)) = (refused, callback) {
                callback(token);
            }
            Registration::empty()
        }
    }
}

pub(crate) fn with_callback<P: Platform, F, R>(
    token: &CancellationToken<P>,
    source: &Handle<P>,
    callback: F,
    body: impl FnOnce() -> R,
) -> R
where
    F: FnOnce(&CancellationToken<P>) + Send,
{
    if source.is_cancelled() {
        callback(token);
        return body();
    }
    let slot = pin!(P::Slot::new(Callback::<P, F>::borrowed(callback)));
    let node = slot.as_ref().ptr().cast::<Node<P>>();
    match admit(source, node) {
        Admission::Linked => {
            let _scope = Scope { source, node };
            body()
        }
        Admission::Cancelled => {
            // SAFETY: node Invariant 3: the node is Idle, and nobody else knows it.
            if let Some(callback) = unsafe { Callback::<P, F>::take(node) } {
                callback(token);
            }
            body()
        }
        Admission::Orphaned => body(),
    }
}

/// A borrowed callback, registered: the frame that owns the node is left only when the callback is over.
struct Scope<'a, P: Platform> {
    source: &'a Handle<P>,
    node: NodePtr<P>,
}

impl<P: Platform> Drop for Scope<'_, P> {
    fn drop(&mut self) {
        if P::failed() {
            return;
        }
        if let Parting::Left = leave(self.source, self.node) {
            // The callback runs on this very thread, further up the stack than the frame it borrows from: only a stack
            // switched by hand can get here, and the frame must not go.
            std::process::abort();
        }
    }
}

impl<P: Platform> Registration<P> {
    pub(crate) const fn empty() -> Self {
        Self { registered: None }
    }

    /// Removes the callback if it has not started; never waits. `true`: it never runs, and its closure has been dropped,
    /// here. `false`: it ran, runs, or was removed before; always so for an empty registration.
    ///
    /// .NET counterpart: `CancellationTokenRegistration.Unregister`.
    ///
    /// # Panics
    /// With the panic of the closure's drop; the callback is removed all the same.
    #[doc(alias = "Unregister")]
    pub fn unregister(&self) -> bool {
        let Some(Registered { source, node }) = &self.registered else {
            return false;
        };
        let removed = list::remove(&mut source.lock(), *node);
        if removed {
            // SAFETY: node Invariant 3: this thread took the node out of the list.
            unsafe { discard(*node) }
        }
        removed
    }

    /// Removes the callback; if it runs on another thread, or its closure is being dropped there, waits until that is
    /// over. On the thread that runs the source's callbacks, and so inside any of them, it never waits. Dropping the
    /// registration does the same.
    ///
    /// .NET counterpart: `CancellationTokenRegistration.Dispose`.
    ///
    /// # Panics
    /// With the panic of the closure's drop; the callback is removed all the same.
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
    #[doc(alias = "DisposeAsync")]
    pub fn dispose_async(mut self) -> impl Future<Output = ()> + Send + use<P> {
        self.registered.take().map_or_else(EndOf::over, EndOf::of)
    }

    /// Leaves the callback registered for good.
    ///
    /// .NET counterpart: not disposing the registration.
    pub fn detach(mut self) {
        if let Some(Registered { source, node }) = self.registered.take()
            && list::detach(&mut source.lock(), node)
        {
            drop(Release(node));
        }
    }

    /// The token that the callback was registered on; [`CancellationToken::none`] for an empty registration.
    ///
    /// .NET counterpart: `CancellationTokenRegistration.Token`.
    #[doc(alias = "Token")]
    #[must_use]
    pub fn token(&self) -> CancellationToken<P> {
        match &self.registered {
            Some(registered) => CancellationToken::of(registered.source.clone()),
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
        let Some(Registered { source, node }) = self.registered.take() else {
            return;
        };
        settle(leave(&source, node), node);
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
            Some(Registered { source, .. }) => source.describe(f.debug_struct("Registration")),
            None => f.write_str("Registration(empty)"),
        }
    }
}

impl<P: Platform> UnwindSafe for Registration<P> {}
impl<P: Platform> RefUnwindSafe for Registration<P> {}
