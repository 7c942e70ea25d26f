//! Links: how a source comes to be cancelled by others' tokens.
//!
//! A linked source embeds one [`Link`] per parent, beside its state and in the same allocation for up to two of them.
//! The link is a node in the parent's callback list, so it has its place among the parent's callbacks.
//!
//! # Invariants
//! 1. A link holds its parent from the moment it is made until the child's last source handle is gone.
//! 2. While a link is in its parent's list the child is alive: the child's last source handle unlinks it before it
//!    gives its count back.
#![expect(unsafe_code, reason = "links are reached through pointers to the node they embed")]

mod end;

use std::marker::PhantomData;
use std::mem::offset_of;

use weakest::{Cell, CellName, Platform, Ptr};

use crate::cause::{self, Cause};
use crate::handle::{Handle, hold};
use crate::list::{Callbacks, List};
use crate::node::{Kind, Memory, Node, NodePtr};
use crate::panics::Deferred;
use crate::pool;
use crate::removal;
use crate::shared::{Seen, Shared, SharedPtr};
use crate::token::CancellationToken;

pub(crate) use end::{end, release_plain};

/// A child's membership in one parent's callback list.
#[repr(C)]
pub(crate) struct Link<P: Platform> {
    node: Node<P>,
    parent: SharedPtr<P>,
}

/// A link in shared memory.
pub(crate) type LinkPtr<P> = Ptr<P, Link<P>>;

impl<P: Platform> Link<P> {
    /// The parent's state; alive as Invariant 1 says.
    pub(crate) fn parent(&self) -> SharedPtr<P> {
        self.parent
    }
}

/// How many links a state has, and so in what block it is embedded.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(crate) enum Shape {
    /// None.
    Plain,
    /// One, in the block.
    One,
    /// Two, in the block.
    Two,
    /// More, in memory of their own.
    Many,
}

/// A state together with the links to its parents: none, one or two in place, more in memory of their own.
#[repr(C)]
struct Block<P: Platform, L> {
    shared: Shared<P>,
    links: L,
}

/// Where the links of a block are.
trait Links<P: Platform>: Sized {
    const SHAPE: Shape;

    /// The i-th link, if there are so many.
    ///
    /// # Safety
    /// The block is alive.
    unsafe fn get(block: Ptr<P, Block<P, Self>>, i: usize) -> Option<LinkPtr<P>>;

    /// Gives back what is not in the block itself.
    ///
    /// # Safety
    /// The block is the caller's alone, and all of its links are unlinked.
    unsafe fn release(&self);
}

impl<P: Platform, const N: usize> Links<P> for [Link<P>; N] {
    const SHAPE: Shape = match N {
        0 => Shape::Plain,
        1 => Shape::One,
        2 => Shape::Two,
        _ => panic!("at most two links lie in a block"),
    };

    #[inline]
    unsafe fn get(block: Ptr<P, Block<P, Self>>, i: usize) -> Option<LinkPtr<P>> {
        // SAFETY: the i-th of N links lies there.
        (i < N).then(|| unsafe { block.member(Place::<P, N, 0>::OFFSET + i * size_of::<Link<P>>()) })
    }

    unsafe fn release(&self) {}
}

/// The I-th of N links in a block.
struct Place<P, const N: usize, const I: usize>(PhantomData<P>);

impl<P: Platform, const N: usize, const I: usize> Place<P, N, I> {
    const OFFSET: usize = offset_of!(Block<P, [Link<P>; N]>, links) + I * size_of::<Link<P>>();
    const KIND: &'static Kind<P> = &Kind::new(None, Memory::Link { child: Self::child });

    fn link(parent: &Handle<P>) -> Link<P> {
        Link { node: Node::new(Self::KIND), parent: parent.ptr() }
    }

    /// # Safety
    /// The node is the I-th of N links' in a live block.
    unsafe fn child(node: NodePtr<P>) -> SharedPtr<P> {
        // SAFETY: passed on to the caller; the state is the block's first field.
        unsafe { node.container(Self::OFFSET) }
    }
}

/// A link in memory of its own.
#[repr(C)]
struct FarLink<P: Platform> {
    link: Link<P>,
    /// The state that the link is of; written before the link is shared.
    child: P::Cell<Option<SharedPtr<P>>>,
}

impl<P: Platform> FarLink<P> {
    const KIND: &'static Kind<P> = &Kind::new(None, Memory::Link { child: Self::child });

    fn allocate(parent: &Handle<P>) -> Ptr<P, Self> {
        let link = Link { node: Node::new(Self::KIND), parent: parent.ptr() };
        Ptr::allocate(Self { link, child: P::Cell::new(CellName::new("the child of a link", "G1"), None) })
    }

    /// # Safety
    /// The node is a live far link's.
    unsafe fn child(node: NodePtr<P>) -> SharedPtr<P> {
        // SAFETY: passed on to the caller.
        let link = unsafe { node.cast::<Self>().get() };
        // SAFETY: written once, before the link was put into a list.
        unsafe { link.child.with(|child| child.expect("a link in a list has a child")) }
    }
}

impl<P: Platform> Links<P> for Vec<Ptr<P, FarLink<P>>> {
    const SHAPE: Shape = Shape::Many;

    unsafe fn get(block: Ptr<P, Block<P, Self>>, i: usize) -> Option<LinkPtr<P>> {
        // SAFETY: passed on to the caller.
        unsafe { block.get() }.links.as_slice().get(i).map(|link| link.cast())
    }

    unsafe fn release(&self) {
        for link in self {
            // SAFETY: passed on to the caller: the block owns its links.
            unsafe { link.release() }
        }
    }
}

impl<P: Platform, L: Links<P>> Block<P, L> {
    /// Allocates a live state with these links, not yet linked. The handle is the source handles' common one.
    #[inline]
    fn allocate(links: L) -> Handle<P> {
        let shared = Ptr::allocate(Self { shared: Shared::new(L::SHAPE), links }).cast::<Shared<P>>();
        // SAFETY: a new state counts one handle.
        unsafe { Handle::adopt(shared) }
    }

    /// # Safety
    /// `shared` is the state of a block of this type, and nobody else's.
    unsafe fn release(shared: SharedPtr<P>) -> Deferred<P> {
        let block = shared.cast::<Self>();
        // SAFETY: the state is a block's first field, and the caller promises the block's type.
        let this = unsafe { block.get() };
        // SAFETY: the state is the caller's alone.
        let has_rest =
            unsafe { this.shared.with_unshared(|guarded| guarded.newest.is_some() || guarded.attached.is_some()) };
        let deferred = if has_rest {
            // SAFETY: the state is the caller's alone.
            unsafe { take_down(&this.shared) }
        } else {
            Deferred::none()
        };
        // SAFETY: the state is the caller's alone.
        let pool = unsafe { this.shared.with_unshared(|guarded| guarded.spare) };
        if pool.is_some() {
            // SAFETY: the state is the caller's alone, and so is its pool.
            unsafe { pool::release(pool) };
        }
        // SAFETY: the state is the caller's alone, and all of its links are unlinked (handle Invariant 5).
        unsafe { this.links.release() };
        // SAFETY: the state is the caller's alone.
        unsafe { block.release() };
        deferred
    }
}

/// Drops what never ran, and what is attached.
///
/// # Safety
/// The state is the caller's alone.
#[cold]
#[inline(never)]
unsafe fn take_down<P: Platform>(state: &Shared<P>) -> Deferred<P> {
    let callbacks = removal::take_down_all(state);
    // SAFETY: passed on to the caller.
    match unsafe { state.with_unshared(|guarded| guarded.attached) } {
        // SAFETY: passed on to the caller; the timer is taken down.
        Some(error) => callbacks.and(unsafe { cause::release(error) }),
        None => callbacks,
    }
}

/// Drops what never ran and gives the memory of a state back.
///
/// # Safety
/// The state at `shared` is the caller's alone.
#[inline]
pub(crate) unsafe fn release<P: Platform>(shared: SharedPtr<P>) -> Deferred<P> {
    // SAFETY: passed on to the caller.
    let release = match unsafe { shared.get() }.shape {
        // SAFETY: the function is of the state's own shape, and the state the caller's alone.
        Shape::Plain => return unsafe { Block::<P, [Link<P>; 0]>::release(shared) },
        Shape::One => Block::<P, [Link<P>; 1]>::release,
        Shape::Two => Block::<P, [Link<P>; 2]>::release,
        Shape::Many => Block::<P, Vec<Ptr<P, FarLink<P>>>>::release,
    };
    // SAFETY: the function is of the state's own shape, and the state the caller's alone.
    unsafe { release(shared) }
}

/// The state of a source without parents.
#[inline]
pub(crate) fn plain<P: Platform>() -> Handle<P> {
    Block::<P, [Link<P>; 0]>::allocate([])
}

/// The state of a source that is cancelled as soon as any of `tokens` is.
pub(crate) fn linked<'a, P: Platform>(tokens: impl IntoIterator<Item = &'a CancellationToken<P>>) -> Handle<P> {
    // Where among the parents a token comes that is cancelled by no source.
    let (mut count, mut always) = (0, None);
    let mut parents = tokens.into_iter().fuse().filter_map(|token| {
        count += usize::from(token.handle().is_some());
        if token.is_always() {
            always.get_or_insert(count);
        }
        token.handle()
    });
    let first = (parents.next(), parents.next(), parents.next());
    let rest: Vec<_> = if first.2.is_some() { parents.by_ref().collect() } else { Vec::new() };
    // The iterator is a user's, and so is its drop: it is over before anything is made that would have to be undone.
    drop(parents);
    let child = match first {
        (None, ..) => plain(),
        (Some(a), None, _) => Block::allocate([Place::<P, 1, 0>::link(a)]),
        (Some(a), Some(b), None) => Block::allocate([Place::<P, 2, 0>::link(a), Place::<P, 2, 1>::link(b)]),
        (Some(a), Some(b), Some(c)) => far([a, b, c].into_iter().chain(rest).map(FarLink::allocate).collect()),
    };
    let mut i = 0;
    for_each_link(&child, |link| {
        if always == Some(i) {
            cancel_unobserved(&child, &Cause::Requested);
        }
        i += 1;
        // SAFETY: links live as long as the block that embeds them.
        let parent = unsafe { link.get() }.parent;
        // SAFETY: the caller has a handle to the parent.
        let mut locked = unsafe { parent.get() }.lock(Seen::HELD);
        hold(&mut locked);
        if locked.is_live() {
            // SAFETY: Invariant 2: the link is the child's, which unlinks it before it goes.
            unsafe { Callbacks::push(&mut locked, link.cast()) };
        } else if locked.is_cancelled() {
            let cause = locked.cause();
            drop(locked);
            cancel_unobserved(&child, &cause);
        }
    });
    if always.is_some() {
        cancel_unobserved(&child, &Cause::Requested);
    }
    child
}

/// The state with these links in memory of their own.
fn far<P: Platform>(links: Vec<Ptr<P, FarLink<P>>>) -> Handle<P> {
    let child = Block::allocate(links.clone());
    for link in links {
        // SAFETY: just allocated.
        let link = unsafe { link.get() };
        // SAFETY: nobody else knows of the link yet.
        unsafe { link.child.with_mut(|place| *place = Some(child.ptr())) };
    }
    child
}

/// Cancels a source that nobody has a handle to yet, unless it is cancelled already: there is no callback to run, no wait
/// and no timer.
pub(crate) fn cancel_unobserved<P: Platform>(child: &Shared<P>, cause: &Cause) {
    let spare = cause.spare();
    let mut locked = child.lock(Seen::NEW);
    if locked.is_live() {
        spare.attach(&mut locked);
        locked.set(cause.bits());
    } else {
        drop(locked);
        spare.discard();
    }
}

#[inline]
fn for_each_link<P: Platform>(child: &Handle<P>, mut visit: impl FnMut(LinkPtr<P>)) {
    let get = match child.shape {
        Shape::Plain => return,
        Shape::One => {
            // SAFETY: the state is that of a block with one link, and the handle keeps it alive.
            let link = unsafe { get_of::<P, [Link<P>; 1]>(child.ptr(), 0) };
            return link.into_iter().for_each(visit);
        }
        Shape::Two => get_of::<P, [Link<P>; 2]>,
        Shape::Many => get_of::<P, Vec<Ptr<P, FarLink<P>>>>,
    };
    let mut i = 0;
    // SAFETY: the function is of the state's own shape, and the handle keeps the block alive.
    while let Some(link) = unsafe { get(child.ptr(), i) } {
        visit(link);
        i += 1;
    }
}

/// The i-th link of a state.
///
/// # Safety
/// The state is alive, and that of a block with such links.
#[inline]
unsafe fn get_of<P: Platform, L: Links<P>>(shared: SharedPtr<P>, i: usize) -> Option<LinkPtr<P>> {
    // SAFETY: passed on to the caller; the state is a block's first field.
    unsafe { L::get(shared.cast(), i) }
}
