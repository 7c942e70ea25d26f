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

use std::marker::PhantomData;
use std::mem::offset_of;

use weakest::{Cell, CellName, Platform, Ptr};

use crate::handle::{Handle, hold, let_go};
use crate::list;
use crate::node::{Kind, Memory, Node, NodePtr};
use crate::panics::Deferred;
use crate::pool;
use crate::removal;
use crate::shared::{CANCELLED, Seen, Shared, SharedPtr};

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
#[repr(u8)]
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

    fn get(block: Ptr<P, Block<P, Self>>, i: usize) -> Option<LinkPtr<P>>;

    /// Gives back what is not in the block itself.
    fn release(&self);
}

impl<P: Platform, const N: usize> Links<P> for [Link<P>; N] {
    const SHAPE: Shape = match N {
        0 => Shape::Plain,
        1 => Shape::One,
        2 => Shape::Two,
        _ => panic!("at most two links lie in a block"),
    };

    #[inline]
    fn get(block: Ptr<P, Block<P, Self>>, i: usize) -> Option<LinkPtr<P>> {
        // SAFETY: the i-th of N links lies there.
        (i < N).then(|| unsafe { block.member(Place::<P, N, 0>::OFFSET + i * size_of::<Link<P>>()) })
    }

    fn release(&self) {}
}

/// The I-th of N links in a block.
struct Place<P, const N: usize, const I: usize>(PhantomData<P>);

impl<P: Platform, const N: usize, const I: usize> Place<P, N, I> {
    const OFFSET: usize = offset_of!(Block<P, [Link<P>; N]>, links) + I * size_of::<Link<P>>();
    const KIND: &'static Kind<P> = &Kind { run: None, memory: Memory::Link { child: Self::child } };

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
    const KIND: &'static Kind<P> = &Kind { run: None, memory: Memory::Link { child: Self::child } };

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

    fn get(block: Ptr<P, Block<P, Self>>, i: usize) -> Option<LinkPtr<P>> {
        // SAFETY: the caller has a part in the block.
        unsafe { block.get() }.links.as_slice().get(i).map(|link| link.cast())
    }

    fn release(&self) {
        for link in self {
            // SAFETY: the block owns its links, and all of them are unlinked (handle Invariant 5).
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
            unsafe { this.shared.with_unshared(|guarded| guarded.newest.is_some() || guarded.timer.is_some()) };
        let deferred = if has_rest { removal::take_down_all(&this.shared) } else { Deferred::none() };
        // SAFETY: the state is the caller's alone.
        let pool = unsafe { this.shared.with_unshared(|guarded| guarded.spare) };
        // SAFETY: the state is the caller's alone, and so is its pool.
        unsafe { pool::release(pool) };
        this.links.release();
        // SAFETY: the state is the caller's alone.
        unsafe { block.release() };
        deferred
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
        Shape::Plain => Block::<P, [Link<P>; 0]>::release,
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

/// The state of a source that is cancelled as soon as any of `parents` is.
pub(crate) fn linked<'a, P: Platform>(parents: impl IntoIterator<Item = &'a Handle<P>>) -> Handle<P> {
    let mut parents = parents.into_iter().fuse();
    let first = (parents.next(), parents.next(), parents.next());
    let rest: Vec<_> = if first.2.is_some() { parents.by_ref().collect() } else { Vec::new() };
    // The iterator is a user's, and so is its drop: it is over before anything is made that would have to be undone.
    drop(parents);
    let child = match first {
        (None, ..) => return plain(),
        (Some(a), None, _) => Block::allocate([Place::<P, 1, 0>::link(a)]),
        (Some(a), Some(b), None) => Block::allocate([Place::<P, 2, 0>::link(a), Place::<P, 2, 1>::link(b)]),
        (Some(a), Some(b), Some(c)) => far([a, b, c].into_iter().chain(rest).map(FarLink::allocate).collect()),
    };
    for_each_link(&child, |link| {
        // SAFETY: links live as long as the block that embeds them.
        let parent = unsafe { link.get() }.parent;
        // SAFETY: the caller has a handle to the parent.
        let mut locked = unsafe { parent.get() }.lock(Seen::HELD);
        hold(&mut locked);
        if locked.is_live() {
            list::push(&mut locked, link.cast(), list::callbacks);
        } else if locked.is_cancelled() {
            drop(locked);
            cancel_unobserved(&child);
        }
    });
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

/// Cancels a source that nobody has a handle to yet, so there is no callback to run.
pub(crate) fn cancel_unobserved<P: Platform>(child: &Shared<P>) {
    let mut locked = child.lock(Seen::NEW);
    if locked.is_live() {
        locked.set(CANCELLED);
    }
}

/// The last source handle is gone: takes the links out of the parents' lists and gives the holds on them back.
#[inline]
pub(crate) fn unlink_all<P: Platform>(child: &Handle<P>) -> Deferred<P> {
    let mut deferred = Deferred::none();
    for_each_link(child, |link| {
        // SAFETY: links live as long as the block that embeds them.
        let parent = unsafe { link.get() }.parent;
        // SAFETY: Invariant 1: the link holds the parent.
        let mut locked = unsafe { parent.get() }.lock(Seen::HELD);
        list::remove(&mut locked, link.cast(), list::callbacks);
        // SAFETY: Invariant 1: the link's hold is given up here, once.
        let released = unsafe { let_go(locked, parent) };
        deferred.note(released.into_result());
    });
    deferred
}

#[inline]
fn for_each_link<P: Platform>(child: &Handle<P>, mut visit: impl FnMut(LinkPtr<P>)) {
    let get = match child.shape {
        Shape::Plain => return,
        Shape::One => |block: SharedPtr<P>, i| <[Link<P>; 1]>::get(block.cast(), i),
        Shape::Two => |block: SharedPtr<P>, i| <[Link<P>; 2]>::get(block.cast(), i),
        Shape::Many => |block: SharedPtr<P>, i| <Vec<Ptr<P, FarLink<P>>>>::get(block.cast(), i),
    };
    let mut i = 0;
    while let Some(link) = get(child.ptr(), i) {
        visit(link);
        i += 1;
    }
}
