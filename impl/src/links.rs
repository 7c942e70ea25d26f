//! Links: how a source comes to be cancelled by others' tokens.
//!
//! A linked source embeds one [`Link`] per parent, beside its state and in the same allocation for up to two of them.
//! The link is a node in the parent's callback list, so it has its place among the parent's callbacks.
//!
//! # Invariants
//! 1. A link holds one count of its parent from the moment it is linked until the child's last source handle is gone.
//! 2. While a link is in its parent's list the child is alive: the child's last source handle unlinks it before it
//!    gives its count back.
#![expect(unsafe_code, reason = "links are reached through pointers to the node they embed")]

use weakest::{Cell, CellName, Platform, Ptr};

use crate::list;
use crate::node::{Action, Node, NodePtr};
use crate::removal;
use crate::shared::{CANCELLED, Handle, Shared, SharedPtr};

/// A child's membership in one parent's callback list.
#[repr(C)]
pub(crate) struct Link<P: Platform> {
    node: Node<P>,
    parent: SharedPtr<P>,
    /// The state that embeds this link; written before the link is shared.
    child: P::Cell<Option<SharedPtr<P>>>,
}

/// A link in shared memory.
pub(crate) type LinkPtr<P> = Ptr<P, Link<P>>;

impl<P: Platform> Link<P> {
    /// A link that takes over `parent`'s count (Invariant 1).
    fn new(parent: Handle<P>) -> Self {
        let parent = std::mem::ManuallyDrop::new(parent).ptr();
        let child = P::Cell::new(CellName::new("the child of a link", "G1"), None);
        Self { node: Node::new(Action::Link), parent, child }
    }

    /// The parent's state; alive as Invariant 1 says.
    pub(crate) fn parent(&self) -> SharedPtr<P> {
        self.parent
    }

    /// The child's state; alive as Invariant 2 says.
    pub(crate) fn child(&self) -> SharedPtr<P> {
        // SAFETY: written once, before the link was put into a list.
        unsafe { self.child.with(|child| child.expect("a link in a list has a child")) }
    }
}

/// How a state is embedded in its allocation.
pub(crate) struct Shape<P: Platform> {
    /// The i-th link to a parent.
    pub(crate) link: unsafe fn(SharedPtr<P>, usize) -> Option<LinkPtr<P>>,
    /// Drops what never ran and gives the allocation back.
    pub(crate) release: unsafe fn(SharedPtr<P>),
}

/// A state together with the links to its parents: none, one or two in place, more in a list.
#[repr(C)]
struct Block<P: Platform, L> {
    shared: Shared<P>,
    links: L,
}

/// Where the links of a block are.
trait Links<P: Platform>: Sized {
    fn get(&self, i: usize) -> Option<LinkPtr<P>>;

    /// Gives back what is not in the block itself.
    fn release(&self);
}

impl<P: Platform, const N: usize> Links<P> for [Link<P>; N] {
    fn get(&self, i: usize) -> Option<LinkPtr<P>> {
        self.as_slice().get(i).map(|link| Ptr::from_raw(link.into()))
    }

    fn release(&self) {}
}

impl<P: Platform> Links<P> for Vec<LinkPtr<P>> {
    fn get(&self, i: usize) -> Option<LinkPtr<P>> {
        self.as_slice().get(i).copied()
    }

    fn release(&self) {
        for link in self {
            // SAFETY: the block owns its links, and all of them are unlinked (Invariant 5 of the state).
            unsafe { link.release() }
        }
    }
}

impl<P: Platform, L: Links<P>> Block<P, L> {
    const SHAPE: &'static Shape<P> = &Shape { link: Self::link, release: Self::release };

    /// Allocates a live state with these links, not yet linked. The handle is the source handles' common one.
    fn allocate(links: L) -> Handle<P> {
        let shared = Ptr::allocate(Self { shared: Shared::new(Self::SHAPE), links }).cast::<Shared<P>>();
        let mut i = 0;
        // SAFETY: just allocated as a block of this very type.
        while let Some(link) = unsafe { Self::link(shared, i) } {
            // SAFETY: the link lives as long as the block, and nobody else knows of either yet.
            let link = unsafe { link.get() };
            // SAFETY: as above: no other thread can access the cell.
            unsafe { link.child.with_mut(|child| *child = Some(shared)) };
            i += 1;
        }
        // SAFETY: a new state counts one handle.
        unsafe { Handle::adopt(shared) }
    }

    /// # Safety
    /// `shared` is the state of a live block of this type.
    unsafe fn link(shared: SharedPtr<P>, i: usize) -> Option<LinkPtr<P>> {
        // SAFETY: the state is a block's first field, and the caller promises the block's type.
        unsafe { shared.cast::<Self>().get() }.links.get(i)
    }

    /// # Safety
    /// As for `link`, and the last handle is gone.
    unsafe fn release(shared: SharedPtr<P>) {
        let block = shared.cast::<Self>();
        // SAFETY: the state is a block's first field, and the caller promises the block's type.
        let this = unsafe { block.get() };
        let mut locked = this.shared.lock_expecting(CANCELLED);
        removal::doom(&mut locked);
        drop(locked);
        let dropped = removal::discard(&this.shared);
        this.links.release();
        // SAFETY: the last handle is gone, so nobody else knows the block.
        unsafe { block.release() };
        dropped.resume();
    }
}

/// The state of a source without parents.
pub(crate) fn plain<P: Platform>() -> Handle<P> {
    Block::<P, [Link<P>; 0]>::allocate([])
}

/// The state of a source that is cancelled as soon as any of `parents` is.
pub(crate) fn linked<P: Platform>(parents: impl IntoIterator<Item = Handle<P>>) -> Handle<P> {
    let mut parents = parents.into_iter().fuse();
    let child = match (parents.next(), parents.next(), parents.next()) {
        (None, ..) => plain(),
        (Some(a), None, _) => Block::allocate([Link::new(a)]),
        (Some(a), Some(b), None) => Block::allocate([Link::new(a), Link::new(b)]),
        (Some(a), Some(b), Some(c)) => {
            let first = [a, b, c].into_iter();
            Block::allocate(first.chain(parents).map(|parent| Ptr::allocate(Link::new(parent))).collect::<Vec<_>>())
        }
    };
    for_each_link(&child, |link| {
        // SAFETY: Invariant 1: the link's count keeps the parent alive.
        let parent = unsafe { link.parent().get() };
        let mut locked = parent.lock();
        if locked.is_live() {
            list::push(&mut locked, node_of(link));
        } else if locked.is_cancelled() {
            drop(locked);
            cancel_unobserved(&child);
        }
    });
    child
}

/// Cancels a source that nobody has a handle to yet, so there is no callback to run.
pub(crate) fn cancel_unobserved<P: Platform>(child: &Shared<P>) {
    let mut locked = child.lock();
    if locked.is_live() {
        locked.set(CANCELLED);
    }
}

/// The last source handle is gone: takes the links out of the parents' lists and gives the parents' counts back.
pub(crate) fn unlink_all<P: Platform>(child: &Handle<P>) {
    for_each_link(child, |link| {
        // SAFETY: Invariant 1: the link's count keeps the parent alive, and is given up here, once.
        let parent = unsafe { Handle::adopt(link.parent()) };
        list::remove(&mut parent.lock(), node_of(link));
    });
}

fn for_each_link<P: Platform>(child: &Handle<P>, mut visit: impl FnMut(&Link<P>)) {
    let mut i = 0;
    // SAFETY: the function is of the state's own shape.
    while let Some(link) = unsafe { (child.shape.link)(child.ptr(), i) } {
        // SAFETY: links live as long as the block that embeds them.
        visit(unsafe { link.get() });
        i += 1;
    }
}

fn node_of<P: Platform>(link: &Link<P>) -> NodePtr<P> {
    LinkPtr::<P>::from_raw(link.into()).cast()
}
