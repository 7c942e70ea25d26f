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

/// Finds the i-th link of a state, if there are as many.
type Find<P> = unsafe fn(SharedPtr<P>, usize) -> Option<LinkPtr<P>>;

/// How a state is embedded in its allocation.
pub(crate) struct Shape<P: Platform> {
    /// The links to parents; `None` if there never are any.
    link: Option<Find<P>>,
    /// Drops what never ran and gives the allocation back.
    pub(crate) release: unsafe fn(SharedPtr<P>),
}

/// A state together with the links to its parents: none, one or two in place, more in memory of their own.
#[repr(C)]
struct Block<P: Platform, L> {
    shared: Shared<P>,
    links: L,
}

/// Where the links of a block are.
trait Links<P: Platform>: Sized {
    const NONE: bool;

    fn get(block: Ptr<P, Block<P, Self>>, i: usize) -> Option<LinkPtr<P>>;

    /// Gives back what is not in the block itself.
    fn release(&self);
}

impl<P: Platform, const N: usize> Links<P> for [Link<P>; N] {
    const NONE: bool = N == 0;

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
    const NONE: bool = false;

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
    const SHAPE: &'static Shape<P> =
        &Shape { link: if L::NONE { None } else { Some(Self::link) }, release: Self::release };

    /// Allocates a live state with these links, not yet linked. The handle is the source handles' common one.
    #[inline]
    fn allocate(links: L) -> Handle<P> {
        let shared = Ptr::allocate(Self { shared: Shared::new(Self::SHAPE), links }).cast::<Shared<P>>();
        // SAFETY: a new state counts one handle.
        unsafe { Handle::adopt(shared) }
    }

    /// # Safety
    /// `shared` is the state of a live block of this type.
    unsafe fn link(shared: SharedPtr<P>, i: usize) -> Option<LinkPtr<P>> {
        L::get(shared.cast(), i)
    }

    /// # Safety
    /// `shared` is the state of a block of this type, and nobody else's.
    unsafe fn release(shared: SharedPtr<P>) {
        let block = shared.cast::<Self>();
        // SAFETY: the state is a block's first field, and the caller promises the block's type.
        let this = unsafe { block.get() };
        // SAFETY: the state is the caller's alone.
        let has_rest =
            unsafe { this.shared.with_unshared(|guarded| guarded.newest.is_some() || guarded.timer.is_some()) };
        let dropped = if has_rest { removal::take_down_all(&this.shared) } else { removal::Dropped::default() };
        // SAFETY: the state is the caller's alone.
        let pool = unsafe { this.shared.with_unshared(|guarded| guarded.spare) };
        // SAFETY: the state is the caller's alone, and so is its pool.
        unsafe { pool::release(pool) };
        this.links.release();
        // SAFETY: the state is the caller's alone.
        unsafe { block.release() };
        dropped.resume::<P>();
    }
}

/// The state of a source without parents.
#[inline]
pub(crate) fn plain<P: Platform>() -> Handle<P> {
    Block::<P, [Link<P>; 0]>::allocate([])
}

/// The state of a source that is cancelled as soon as any of `parents` is.
pub(crate) fn linked<'a, P: Platform>(parents: impl IntoIterator<Item = &'a Handle<P>>) -> Handle<P> {
    let mut parents = parents.into_iter().fuse();
    let child = match (parents.next(), parents.next(), parents.next()) {
        (None, ..) => return plain(),
        (Some(a), None, _) => Block::allocate([Place::<P, 1, 0>::link(a)]),
        (Some(a), Some(b), None) => Block::allocate([Place::<P, 2, 0>::link(a), Place::<P, 2, 1>::link(b)]),
        (Some(a), Some(b), Some(c)) => far([a, b, c].into_iter().chain(parents).map(FarLink::allocate).collect()),
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
pub(crate) fn unlink_all<P: Platform>(child: &Handle<P>) {
    for_each_link(child, |link| {
        // SAFETY: links live as long as the block that embeds them.
        let parent = unsafe { link.get() }.parent;
        // SAFETY: Invariant 1: the link holds the parent.
        let mut locked = unsafe { parent.get() }.lock(Seen::HELD);
        list::remove(&mut locked, link.cast(), list::callbacks);
        // SAFETY: Invariant 1: the link's hold is given up here, once.
        unsafe { let_go(locked, parent) }
    });
}

#[inline]
fn for_each_link<P: Platform>(child: &Handle<P>, mut visit: impl FnMut(LinkPtr<P>)) {
    let Some(link) = child.shape.link else {
        return;
    };
    let mut i = 0;
    // SAFETY: the function is of the state's own shape.
    while let Some(link) = unsafe { link(child.ptr(), i) } {
        visit(link);
        i += 1;
    }
}
