//! Panics of callbacks, as values.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{self, AssertUnwindSafe};

use weakest::{Native, Platform};

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs user code and turns its panic into a value. An explorer that tears down a failed execution unwinds through
/// here, and is let through.
#[inline(always)]
pub(crate) fn catch<P: Platform, R>(user: impl FnOnce() -> R) -> Result<R, Payload> {
    match panic::catch_unwind(AssertUnwindSafe(user)) {
        Err(payload) if P::failed() => panic::resume_unwind(payload),
        result => result,
    }
}

/// How often a panic out of a payload's drop is dropped in its turn.
const REPEATS: u32 = 8;

/// Drops a panic that nobody is to be told of, and what its drop panics with in turn; one that goes on for ever is
/// forgotten.
#[cold]
pub(crate) fn swallow<P: Platform>(payload: Payload) {
    let mut rest = vec![(payload, 0)];
    while let Some((payload, repeats)) = rest.pop() {
        match payload.downcast::<CallbackPanics>() {
            Ok(mut nested) => rest.extend(nested.payloads.drain(..).map(|payload| (payload, repeats))),
            Err(leaf) if repeats == REPEATS => std::mem::forget(leaf),
            Err(leaf) => rest.extend(catch::<P, _>(|| drop(leaf)).err().map(|payload| (payload, repeats + 1))),
        }
    }
}

/// The first panic of user code that an operation met (a closure's drop, a waker, a clock, a payload), kept until the
/// operation has done all of its own work, for every object that it touches.
///
/// What may run user code returns one; whoever a user called lets it go on, last of all. One that is dropped with a
/// panic in it would lose the panic, which aborts.
#[must_use = "a panic that was put off must go on"]
pub(crate) struct Deferred<P: Platform> {
    first: Option<Payload>,
    platform: PhantomData<P>,
}

impl<P: Platform> Deferred<P> {
    /// No panic.
    #[inline(always)]
    pub(crate) const fn none() -> Self {
        Self { first: None, platform: PhantomData }
    }

    /// Runs user code.
    pub(crate) fn of(user: impl FnOnce()) -> Self {
        let mut deferred = Self::none();
        deferred.note(catch::<P, _>(user));
        deferred
    }

    #[inline(always)]
    pub(crate) fn is_none(&self) -> bool {
        self.first.is_none()
    }

    /// Notes what user code ended with; nobody is told of a panic that is not the first.
    pub(crate) fn note(&mut self, result: Result<(), Payload>) {
        match result {
            Err(payload) if self.first.is_none() => self.first = Some(payload),
            Err(payload) => swallow::<P>(payload),
            Ok(()) => {}
        }
    }

    /// Notes the panic of what came later, if there is one and it is the first.
    #[inline(always)]
    pub(crate) fn add(&mut self, later: Self) {
        if later.is_none() {
            std::mem::forget(later);
        } else {
            self.add_some(later);
        }
    }

    #[cold]
    #[inline(never)]
    fn add_some(&mut self, later: Self) {
        self.note(later.into_result());
    }

    /// This one's panic, or else the later one's.
    #[inline(always)]
    pub(crate) fn and(mut self, later: Self) -> Self {
        self.add(later);
        self
    }

    /// The panic, as an error.
    #[inline(always)]
    pub(crate) fn into_result(self) -> Result<(), Payload> {
        match ManuallyDrop::new(self).first.take() {
            Some(payload) => Err(payload),
            None => Ok(()),
        }
    }

    /// Lets the panic go on, unless the thread unwinds already: then nobody is told of it.
    #[inline(always)]
    pub(crate) fn resume(self) {
        if !self.is_none() {
            self.resume_some();
        }
    }

    #[cold]
    fn resume_some(self) {
        match self.into_result() {
            Err(payload) if std::thread::panicking() => swallow::<P>(payload),
            Err(payload) => panic::resume_unwind(payload),
            Ok(()) => {}
        }
    }

    /// Tells nobody.
    pub(crate) fn swallow(self) {
        if let Err(payload) = self.into_result() {
            swallow::<P>(payload);
        }
    }
}

impl<P: Platform> Drop for Deferred<P> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.first.is_some() && !P::failed() {
            std::process::abort();
        }
    }
}

/// The panics of the callbacks that one request ran, in the order in which they happened.
///
/// The panics of a linked source's callbacks count as one, whose payload is a `CallbackPanics` of its own; however
/// deep they are nested, dropping and formatting never recurse.
///
/// .NET counterpart: the `AggregateException` that `CancellationTokenSource.Cancel` throws.
///
/// ```
/// use rescind::CancellationTokenSource;
///
/// let source = CancellationTokenSource::new();
/// let _registration = source.token().register(|| std::panic::resume_unwind(Box::new("no")));
/// let panics = source.try_cancel().expect_err("the callback panics");
/// assert_eq!(panics.len(), 1);
/// assert_eq!(panics.into_payloads()[0].downcast_ref(), Some(&"no"));
/// ```
#[doc(alias = "AggregateException")]
pub struct CallbackPanics {
    payloads: Vec<Payload>,
}

impl CallbackPanics {
    pub(crate) fn new(payloads: Vec<Payload>) -> Self {
        debug_assert!(!payloads.is_empty(), "no panic is no error");
        Self { payloads }
    }

    /// Takes the panics out of the payload of a request that collected them.
    pub(crate) fn of(payload: Payload) -> Self {
        *payload.downcast().expect("a request that collects panics ends with a CallbackPanics")
    }

    /// Panics with the panics of a request that collected them.
    pub(crate) fn raise(payload: Payload) -> ! {
        panic::panic_any(Self::of(payload))
    }

    /// How many panics there are; a linked source's count as one. Never zero.
    ///
    /// .NET counterpart: `AggregateException.InnerExceptions.Count`.
    ///
    /// ```
    /// use rescind::CancellationTokenSource;
    /// use std::panic::resume_unwind;
    ///
    /// let parent = CancellationTokenSource::new();
    /// let child = CancellationTokenSource::linked([&parent.token()]);
    /// for token in [parent.token(), child.token(), child.token()] {
    ///     token.register(|| resume_unwind(Box::new("no"))).detach();
    /// }
    /// assert_eq!(parent.try_cancel().unwrap_err().len(), 2); // its own, and its child's
    /// ```
    #[doc(alias = "Count")]
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    #[must_use]
    pub fn len(&self) -> usize {
        self.payloads.len()
    }

    /// The payloads, in the order in which the panics happened.
    ///
    /// .NET counterpart: `AggregateException.InnerExceptions`.
    ///
    /// ```
    /// use rescind::CancellationTokenSource;
    /// use std::panic::resume_unwind;
    ///
    /// let source = CancellationTokenSource::new();
    /// for text in ["first", "second"] {
    ///     source.token().register(move || resume_unwind(Box::new(text))).detach();
    /// }
    /// let payloads = source.try_cancel().unwrap_err().into_payloads();
    /// let texts: Vec<_> = payloads.iter().map(|payload| *payload.downcast_ref::<&str>().unwrap()).collect();
    /// assert_eq!(texts, ["second", "first"]); // the newer one ran first
    /// ```
    #[doc(alias = "InnerExceptions")]
    #[must_use]
    pub fn into_payloads(mut self) -> Vec<Box<dyn Any + Send>> {
        std::mem::take(&mut self.payloads)
    }

    /// Calls `visit` with every innermost payload in order, without recursion.
    fn for_each_leaf<'a>(&'a self, mut visit: impl FnMut(&'a (dyn Any + Send))) {
        let mut rest = vec![self.payloads.iter()];
        while let Some(iter) = rest.last_mut() {
            match iter.next() {
                None => {
                    rest.pop();
                }
                Some(payload) => match payload.downcast_ref::<Self>() {
                    Some(nested) => rest.push(nested.payloads.iter()),
                    None => visit(&**payload),
                },
            }
        }
    }
}

impl Drop for CallbackPanics {
    fn drop(&mut self) {
        // Nested panics are taken out before they are dropped, so a chain of any depth drops on a small stack (R16).
        let mut rest = std::mem::take(&mut self.payloads);
        let mut deferred = Deferred::<Native>::none();
        while let Some(payload) = rest.pop() {
            match payload.downcast::<Self>() {
                Ok(mut nested) => rest.append(&mut nested.payloads),
                Err(leaf) => deferred.note(catch::<Native, _>(|| drop(leaf))),
            }
        }
        deferred.resume();
    }
}

impl fmt::Debug for CallbackPanics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        self.for_each_leaf(|leaf| {
            list.entry(&Message(leaf));
        });
        list.finish()
    }
}

impl fmt::Display for CallbackPanics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut leaves = Vec::new();
        self.for_each_leaf(|leaf| leaves.push(leaf));
        write!(f, "{} callback{} panicked", leaves.len(), if leaves.len() == 1 { "" } else { "s" })?;
        for (i, leaf) in leaves.into_iter().enumerate() {
            write!(f, "{} {}", if i == 0 { ":" } else { ";" }, Message(leaf))?;
        }
        Ok(())
    }
}

impl std::error::Error for CallbackPanics {}

/// A payload's message, if it is one.
struct Message<'a>(&'a (dyn Any + Send));

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.0.downcast_ref::<&'static str>() {
            f.write_str(text)
        } else if let Some(text) = self.0.downcast_ref::<String>() {
            f.write_str(text)
        } else {
            f.write_str("(a payload that is no text)")
        }
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Collects panics while sources are notified depth first: those of a nested source become one panic of the source
/// around it. Depth costs nothing until something panics.
#[derive(Default)]
pub(crate) struct Collector {
    /// The depths that have panics, deepest last; `None` before the first.
    #[expect(clippy::box_collection, reason = "one word, as each request moves it about")]
    open: Option<Box<Vec<Depth>>>,
}

/// A depth, and the panics of the source there.
type Depth = (usize, Vec<Payload>);

impl Collector {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.as_ref().is_none_or(|open| open.is_empty())
    }

    /// Notes a panic of a callback of the source at `depth`.
    pub(crate) fn push(&mut self, depth: usize, payload: Payload) {
        let open = self.open.get_or_insert_default();
        match open.last_mut() {
            Some((top, payloads)) if *top == depth => payloads.push(payload),
            _ => open.push((depth, vec![payload])),
        }
    }

    /// Takes the first panic of the source at `depth`, if that is the deepest with any; nobody is told of the others.
    pub(crate) fn first_of<P: Platform>(&mut self, depth: usize) -> Option<Payload> {
        let mut payloads = self.close(depth)?.into_payloads().into_iter();
        let first = payloads.next();
        payloads.for_each(swallow::<P>);
        first
    }

    /// The source at `depth` is done: what its callbacks panicked with.
    pub(crate) fn close(&mut self, depth: usize) -> Option<CallbackPanics> {
        self.open.as_mut()?.pop_if(|(top, _)| *top == depth).map(|(_, payloads)| CallbackPanics::new(payloads))
    }
}
