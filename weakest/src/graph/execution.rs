//! The execution graph: events, program order, reads-from, coherence.
//!
//! # Invariants
//! 1. A thread's events are stored in program order; stamps grow along it. Stamps record the order of addition; a
//!    revisited read keeps the stamp it had.
//! 2. A location's `coherence` lists its writes, coherence-first first, without the initial one, which precedes all.
//!    A write's `position` is one more than its place in the list; the initial write's position is zero.
//! 3. A read-modify-write that writes is two events, next to each other in program order, and the write's position is
//!    one more than that of the read's source. Nothing is ever placed between the two.
//! 4. A thread's reads of one location are linked, from the latest one back. Coherence orders them as program order does.
//! 5. Clocks are those of the whole prefix of an event, so adding and removing events at the ends of threads never
//!    changes another event's clocks.

use super::clock::{Clock, EventId, Knowledge, MAX_THREADS};
use super::flaw::Flaw;
use super::program::MemoryOrder;
use super::seq_cst::{self, Node};

/// What an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Write,
    Fence,
    /// A choice that the model makes, not memory: whether a park returns for no reason.
    Choice,
    /// Starts the thread that `value` names.
    Spawn,
    /// Waits for the end of the thread that `value` names.
    Join,
    /// An iteration of a loop that did nothing ends; `value` is where it began ([`spin`](super::spin)).
    Spin,
    /// The end of a thread.
    End,
}

/// What the program says about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) kind: Kind,
    pub(crate) order: MemoryOrder,
    /// For reads and writes.
    pub(crate) location: usize,
    /// Part of a read-modify-write that writes.
    pub(crate) update: bool,
}

/// An event of the graph.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    pub(crate) label: Label,
    /// The value read or written, the choice made, the thread spawned or joined.
    pub(crate) value: u64,
    pub(crate) stamp: u64,
    /// Reads: the write it reads from. The write of a read-modify-write: the same.
    pub(crate) source: EventId,
    /// Reads: the thread's read of the location before this one (Invariant 4), by one more than its place; 0: none.
    pub(super) read_before: u32,
    /// Writes: place in coherence (Invariant 2).
    pub(crate) position: usize,
    /// Whether it is the choice that the explorer makes first; one that is not is never undone by a revisit.
    pub(crate) canonical: bool,
    /// A wait that its value does not satisfy: the thread goes no further.
    pub(crate) blocked: bool,
    /// What the thread knows afterwards, this event included.
    pub(crate) knows: Knowledge,
    /// Writes: what an acquire that reads from it gets.
    pub(crate) release: Clock,
}

/// A thread's events.
#[derive(Debug, Clone, Default)]
pub(crate) struct Thread {
    /// What it knows at its start; `None`: not started.
    pub(crate) start: Option<Knowledge>,
    pub(crate) events: Vec<Event>,
    /// Its sequentially consistent events.
    pub(super) nodes: Vec<Node>,
}

/// A location's writes and reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Location {
    /// The initial value.
    pub(crate) init: u64,
    /// Whether it is a thread's park token: release and acquire on it pass on what was [told](Knowledge::told).
    pub(crate) token: bool,
    /// Whether its values may be addresses, which differ from run to run.
    pub(crate) addresses: bool,
    /// Invariant 2.
    pub(crate) coherence: Vec<EventId>,
    /// Each thread's latest read (Invariant 4), by one more than its place in the thread; 0: none.
    pub(super) last_reads: [u32; MAX_THREADS],
}

/// An execution graph.
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    pub(crate) threads: Vec<Thread>,
    pub(crate) locations: Vec<Location>,
    /// All events in order of addition.
    pub(crate) order: Vec<EventId>,
    pub(super) next_stamp: u64,
    /// How many events are sequentially consistent accesses, and fences.
    pub(crate) seq_cst_accesses: usize,
    pub(crate) seq_cst_fences: usize,
    /// How they are ordered.
    pub(super) seq_cst: seq_cst::Order,
    /// Whether some access was not atomic: only then can graph events race.
    pub(crate) plain: bool,
}

impl Graph {
    pub(crate) fn event(&self, id: EventId) -> &Event {
        &self.threads[id.thread()].events[id.index()]
    }

    pub(crate) fn event_mut(&mut self, id: EventId) -> &mut Event {
        &mut self.threads[id.thread()].events[id.index()]
    }

    /// The name of the next event of `thread`.
    pub(crate) fn next_id(&self, thread: usize) -> EventId {
        EventId::new(thread, self.threads[thread].events.len())
    }

    /// What `thread` knows now.
    ///
    /// # Panics
    /// If the thread has not started.
    pub(crate) fn knowledge(&self, thread: usize) -> &Knowledge {
        let thread = &self.threads[thread];
        match thread.events.last() {
            Some(event) => &event.knows,
            None => thread.start.as_ref().expect("a thread that acts has started"),
        }
    }

    /// Makes room for `thread` and starts it.
    pub(crate) fn start(&mut self, thread: usize, knows: Knowledge) {
        if self.threads.len() <= thread {
            self.threads.resize_with(thread + 1, Thread::default);
        }
        self.threads[thread].start = Some(knows);
    }

    /// Makes room for `location` and gives it its initial value.
    pub(crate) fn initialise(&mut self, location: usize, init: u64) {
        if self.locations.len() <= location {
            self.locations.resize_with(location + 1, Location::default);
        }
        self.locations[location].init = init;
    }

    /// Makes `location` a park token, which is not there.
    pub(crate) fn initialise_token(&mut self, location: usize) {
        self.initialise(location, 0);
        self.locations[location].token = true;
    }

    /// The value of a write.
    pub(crate) fn value(&self, write: EventId) -> u64 {
        if write.is_initial() { self.locations[write.index()].init } else { self.event(write).value }
    }

    /// The location of a write.
    pub(crate) fn location(&self, write: EventId) -> usize {
        if write.is_initial() { write.index() } else { self.event(write).label.location }
    }

    /// A write's place in coherence.
    pub(crate) fn position(&self, write: EventId) -> usize {
        if write.is_initial() { 0 } else { self.event(write).position }
    }

    /// The write at a place in the coherence of `location`.
    pub(crate) fn write_at(&self, location: usize, position: usize) -> EventId {
        match position.checked_sub(1) {
            None => EventId::initial(location),
            Some(place) => self.locations[location].coherence[place],
        }
    }

    /// The coherence-last write's place.
    pub(crate) fn last_position(&self, location: usize) -> usize {
        self.locations[location].coherence.len()
    }

    /// A thread's reads of a location, the latest first.
    pub(crate) fn reads_by(&self, thread: usize, location: usize) -> impl Iterator<Item = EventId> {
        let read = move |last: u32| Some(EventId::new(thread, last.checked_sub(1)? as usize));
        let before = move |&id: &EventId| read(self.event(id).read_before);
        std::iter::successors(read(self.locations[location].last_reads[thread]), before)
    }

    /// All reads of a location.
    pub(crate) fn reads(&self, location: usize) -> impl Iterator<Item = EventId> {
        (0..self.threads.len()).flat_map(move |thread| self.reads_by(thread, location))
    }

    /// Whether the write at `position` belongs to a read-modify-write: then nothing may be placed there (Invariant 3).
    pub(crate) fn is_taken(&self, location: usize, position: usize) -> bool {
        position <= self.last_position(location)
            && self.event(self.write_at(location, position)).label.update
            && !Flaw::NoAtomicity.is_made()
    }

    /// The coherence-last place a thread that `knows` this much is bound to: it reads from there or later, and writes later.
    pub(crate) fn least_position(&self, location: usize, knows: &Knowledge) -> usize {
        let place = &self.locations[location];
        let is_before = |event: EventId| knows.hb.contains(event) || knows.told.contains(event);
        let written = place.coherence.iter().rposition(|&write| is_before(write)).map_or(0, |at| at + 1);
        let reads =
            (0..self.threads.len()).filter_map(|thread| self.reads_by(thread, location).find(|&read| is_before(read)));
        reads.map(|read| self.position(self.event(read).source)).fold(written, usize::max)
    }

    /// Adds a read that takes its value from `source`.
    pub(crate) fn add_read(&mut self, thread: usize, label: Label, source: EventId) -> EventId {
        let id = self.next_id(thread);
        let mut knows = *self.knowledge(thread);
        if !source.is_initial() {
            let write = self.event(source);
            knows.prefix.join(&write.knows.prefix);
            if self.locations[label.location].token {
                if label.order.acquires() {
                    knows.told.join(&write.release);
                }
            } else if label.order.is_atomic() {
                if label.order.acquires() {
                    knows.hb.join(&write.release);
                }
                knows.acquirable.join(&write.release);
            }
        }
        let value = self.value(source);
        let event = Event { source, value, ..self.blank(label, knows, id) };
        self.push(id, event)
    }

    /// The next event of `thread` if it is a write; `read` is the source of the read of a read-modify-write.
    pub(crate) fn make_write(&self, thread: usize, label: Label, value: u64, read: Option<EventId>) -> Event {
        let id = self.next_id(thread);
        let mut knows = *self.knowledge(thread);
        knows.hb.include(id);
        let mut release = if self.locations[label.location].token {
            let mut told = knows.hb;
            told.join(&knows.told);
            if label.order.releases() { told } else { Clock::default() }
        } else if label.order.releases() {
            knows.hb
        } else if label.order.is_atomic() {
            knows.released
        } else {
            Clock::default()
        };
        let source = read.unwrap_or(EventId::initial(label.location));
        if label.update && !source.is_initial() {
            // C++20: a read-modify-write continues the release sequence it reads from; no other write does.
            release.join(&self.event(source).release);
        }
        if Flaw::Cpp11ReleaseSequences.is_made() {
            let earlier = self.threads[thread].events.iter().rev();
            let mut earlier =
                earlier.filter(|event| event.label.kind == Kind::Write && event.label.location == label.location);
            earlier.next().inspect(|event| release.join(&event.release));
        }
        Event { value, source, release, ..self.blank(label, knows, id) }
    }

    /// Adds a write at a place in coherence.
    pub(crate) fn add_write(&mut self, thread: usize, event: &Event, position: usize) -> EventId {
        let id = self.next_id(thread);
        self.readd(id, event, position);
        id
    }

    /// Adds a fence.
    pub(crate) fn add_fence(&mut self, thread: usize, label: Label) -> EventId {
        let id = self.next_id(thread);
        let mut knows = *self.knowledge(thread);
        if label.order.acquires() {
            knows.hb.join(&knows.acquirable.clone());
        }
        knows.hb.include(id);
        if label.order.releases() {
            knows.released = knows.hb;
        }
        let event = self.blank(label, knows, id);
        self.push(id, event)
    }

    /// Adds an event that is neither access nor fence; a spawn starts its thread.
    pub(crate) fn add_other(&mut self, thread: usize, label: Label, value: u64) -> EventId {
        let id = self.next_id(thread);
        let mut knows = *self.knowledge(thread);
        let other = usize::try_from(value).expect("threads are few");
        if label.kind == Kind::Join {
            let child = *self.knowledge(other);
            knows.hb.join(&child.hb);
            knows.prefix.join(&child.prefix);
        }
        let event =
            Event { value, canonical: label.kind != Kind::Choice || value == 0, ..self.blank(label, knows, id) };
        if label.kind == Kind::Spawn {
            self.start(other, Knowledge { hb: event.knows.hb, prefix: event.knows.prefix, ..Knowledge::default() });
        }
        self.push(id, event)
    }

    fn blank(&self, label: Label, mut knows: Knowledge, id: EventId) -> Event {
        knows.hb.include(id);
        knows.prefix.include(id);
        Event {
            label,
            value: 0,
            stamp: self.next_stamp,
            source: EventId::initial(0),
            read_before: 0,
            position: 0,
            canonical: true,
            blocked: false,
            knows,
            release: Clock::default(),
        }
    }

    fn push(&mut self, id: EventId, mut event: Event) -> EventId {
        if event.label.kind == Kind::Read {
            let last = &mut self.locations[event.label.location].last_reads[id.thread()];
            event.read_before = std::mem::replace(last, id.count());
        }
        self.next_stamp += 1;
        self.count_seq_cst(event.label, true);
        self.plain |= !event.label.order.is_atomic();
        self.threads[id.thread()].events.push(event);
        self.order.push(id);
        seq_cst::enter(self, id);
        id
    }

    fn count_seq_cst(&mut self, label: Label, more: bool) {
        if label.order.is_seq_cst() {
            let count = if label.kind == Kind::Fence { &mut self.seq_cst_fences } else { &mut self.seq_cst_accesses };
            *count = if more { *count + 1 } else { *count - 1 };
        }
    }

    /// Puts a write into coherence and moves the later ones on.
    fn insert(&mut self, location: usize, position: usize, id: EventId) {
        self.locations[location].coherence.insert(position - 1, id);
        self.renumber(location, position + 1);
    }

    /// Corrects the positions of the writes from `position` on.
    pub(super) fn renumber(&mut self, location: usize, position: usize) {
        for at in position..=self.last_position(location) {
            let write = self.write_at(location, at);
            self.event_mut(write).position = at;
        }
    }

    /// Removes all events but the first `mark` added.
    pub(crate) fn truncate(&mut self, mark: usize) {
        while self.order.len() > mark {
            let id = *self.order.last().expect("longer than the mark");
            seq_cst::leave(self, id);
            self.order.pop();
            let event = self.threads[id.thread()].events.pop().expect("events are removed in reverse");
            self.count_seq_cst(event.label, false);
            match event.label.kind {
                Kind::Read => self.locations[event.label.location].last_reads[id.thread()] = event.read_before,
                Kind::Write => {
                    self.locations[event.label.location].coherence.remove(event.position - 1);
                    self.renumber(event.label.location, event.position);
                }
                Kind::Spawn => {
                    let child = usize::try_from(event.value).expect("threads are few");
                    self.threads[child].start = None;
                }
                Kind::Fence | Kind::Choice | Kind::Join | Kind::Spin | Kind::End => {}
            }
        }
    }

    /// Puts back an event that was removed, under a fresh stamp. A write goes to `position` in coherence.
    pub(crate) fn readd(&mut self, id: EventId, event: &Event, position: usize) {
        self.restore(id, &Event { stamp: self.next_stamp, ..*event }, position);
    }

    /// Puts back an event that was removed. A write goes to `position` in coherence.
    pub(super) fn restore(&mut self, id: EventId, event: &Event, position: usize) {
        if event.label.kind == Kind::Write {
            self.insert(event.label.location, position, id);
        }
        self.push(id, Event { position, ..*event });
    }
}
