//! Facts about sources: requests, links, resets, last handles.

use super::{Began, Broken, Facts, Id, Of, Time, must};

/// A source.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// Handles and guards whose drop is not over.
    handles: usize,
    /// Of these, those whose drop has begun.
    dropping: usize,
    /// The last handle went before any request.
    pub(super) gone: bool,
    /// Somebody was told of the request.
    pub(super) seen: bool,
    /// When they were; of the token that always is cancelled nobody need be told.
    seen_at: Vec<Time>,
    always: bool,
    /// When calls that may make the request began, delays included.
    asked_at: Vec<Time>,
    /// When drops of handles were over.
    dropped_at: Vec<Time>,
    gone_at: Option<Time>,
    /// Calls that said they made the request.
    made: usize,
    /// Something that may make the request and tells nobody: a guard, a timer, a link, a call without a job.
    silent: bool,
    /// The main thread will make the request.
    promised: bool,
    /// A call that can make the request began.
    asked: bool,
    /// A delay was asked for, and no reset came since.
    armed: bool,
    /// A delay was asked for at some time.
    timed: bool,
    /// What a request, or somebody who asked, said the cause is.
    cause: Option<Cause>,
    /// The errors of calls that began.
    errors: Vec<u32>,
    /// Upgrades under way, each of which may have made a handle.
    upgrading: usize,
    links: Vec<Link>,
    /// Resets under way.
    resetting: usize,
    /// The end of the last reset.
    reset: Option<Time>,
    /// The callbacks of a request were left to a job.
    left: bool,
    /// A fail-fast request was ended by a panic.
    pub(super) stopped: bool,
    /// The thread that runs the callbacks.
    pub(super) notifier: Option<usize>,
}

#[derive(Debug)]
struct Link {
    parent: Id,
    began: Time,
    ended: Time,
}

/// Why a source is cancelled; an error by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::threads) enum Cause {
    Requested,
    TimedOut,
    Error(u32),
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::threads) enum Request {
    /// This call made it, and ran all callbacks.
    Made,
    /// This call made it, and left the callbacks to others or to nobody.
    Left,
    /// A panic ended it early.
    Stopped,
    /// It was made before.
    Before,
}

impl Source {
    pub(super) fn never() -> Self {
        Self { handles: 1, ..Self::default() }
    }

    pub(super) fn always() -> Self {
        Self { handles: 1, seen: true, always: true, asked: true, cause: Some(Cause::Requested), ..Self::default() }
    }

    /// Whether whoever comes now must see the request, because somebody saw it before.
    pub(super) fn is_seen_by(&self, now: &Time) -> bool {
        self.always || self.seen_at.iter().any(|seen| seen.is_over_by(now))
    }

    /// Whether the last handle may have gone before any request.
    pub(super) fn may_be_gone(&self) -> bool {
        self.gone || !self.seen && self.handles == self.dropping
    }

    /// Whether it was reset after that.
    pub(super) fn was_reset(&self, since: Time) -> bool {
        self.reset.is_some_and(|reset| !reset.is_over_by(&since))
    }

    /// Whether callbacks registered at `since` may have been removed by a reset or by the last handle's drop.
    pub(super) fn may_have_removed(&self, since: Time) -> bool {
        self.may_be_gone() || self.resetting > 0 || self.was_reset(since)
    }
}

impl Facts {
    /// Somebody is told of the request.
    pub(super) fn see(&mut self, id: Id) -> Result<(), Broken> {
        let now = self.now;
        self.sources[id].seen = true;
        self.sources[id].seen_at.push(now);
        must(self.is_ordered(id), "G1", || {
            format!("source {id} is seen to be cancelled, and nothing that may have cancelled it happens before")
        })
    }

    /// Whether something that may have made the request of a source happens before now.
    fn is_ordered(&self, id: Id) -> bool {
        let source = &self.sources[id];
        source.always
            || source.asked_at.iter().any(|asked| asked.is_before(&self.now))
            || source.links.iter().any(|link| self.is_ordered(link.parent))
    }

    /// A source was made, linked to `parents` by an operation that began then.
    pub(in crate::threads) fn new_source(&mut self, parents: &[Began], armed: bool) -> Id {
        let ended = self.now;
        let parents = parents.iter().filter(|parent| parent.source != 0);
        let links = parents.map(|&Began { source, time, .. }| Link { parent: source, began: time, ended });
        let asked_at = if armed { vec![self.now] } else { Vec::new() };
        let source = Source { handles: 1, links: links.collect(), armed, timed: armed, asked_at, ..Source::default() };
        self.sources.push(Source { silent: armed || !source.links.is_empty(), ..source });
        self.sources.len() - 1
    }

    /// What the new source says at once.
    pub(in crate::threads) fn linked(&mut self, source: Id, parents: &[Began], cancelled: bool) -> Result<(), Broken> {
        let owed = parents.iter().any(|parent| parent.seen);
        must(cancelled || !owed, "R10", || format!("source {source} is live, and its parent was cancelled before"))?;
        if cancelled { self.see(source) } else { Ok(()) }
    }

    pub(in crate::threads) fn handle_made(&mut self, source: Id) {
        self.sources[source].handles += 1;
    }

    pub(in crate::threads) fn guard_made(&mut self, source: Id) {
        self.handle_made(source);
        self.sources[source].silent = true;
    }

    pub(in crate::threads) fn handle_dropping(&mut self, source: Id) -> Began {
        self.sources[source].dropping += 1;
        self.begin(source)
    }

    /// `true` if it was certainly the last.
    pub(in crate::threads) fn handle_dropped(&mut self, source: Id) -> bool {
        let source = &mut self.sources[source];
        source.dropping -= 1;
        source.handles -= 1;
        let others_over = source.dropped_at.iter().all(|dropped| dropped.is_over_by(&self.now));
        source.dropped_at.push(self.now);
        source.handles == 0 && source.upgrading == 0 && others_over
    }

    /// An upgrade, or a weak handle's request, begins; `true` if there certainly is no handle.
    pub(in crate::threads) fn upgrading(&mut self, source: Id) -> bool {
        let source = &mut self.sources[source];
        source.upgrading += 1;
        source.handles == 0 && source.upgrading == 1
    }

    /// It is over, and gave a handle or not.
    pub(in crate::threads) fn upgraded(&mut self, id: Id, was_gone: bool, made: bool) -> Result<(), Broken> {
        let source = &mut self.sources[id];
        source.upgrading -= 1;
        must(!made || !was_gone, "R11", || format!("source {id} was gone, and was upgraded"))?;
        let is_there = source.handles > source.dropping;
        must(made || !is_there, "R11", || format!("source {id} has a handle, and was not upgraded"))?;
        source.handles += usize::from(made);
        Ok(())
    }

    /// A weak handle's request is over.
    pub(in crate::threads) fn weakly_requested(
        &mut self,
        id: Id,
        was_gone: bool,
        made: bool,
        cancelled: bool,
    ) -> Result<(), Broken> {
        let source = &mut self.sources[id];
        source.upgrading -= 1;
        must(!made || !was_gone, "R11", || format!("source {id} was gone, and was cancelled"))?;
        let is_there = source.handles > source.dropping;
        must(cancelled || !is_there, "R2", || format!("source {id} has a handle, and is not cancelled"))
    }

    /// Somebody asked for the cause, or made the request for it.
    pub(in crate::threads) fn caused(&mut self, id: Id, cause: Cause) -> Result<(), Broken> {
        let known = *self.sources[id].cause.get_or_insert(cause);
        must(known == cause, "R2", || format!("source {id} is cancelled for {known:?}, and for {cause:?}"))?;
        must(self.may_be(id, cause), "R2", || format!("source {id} is cancelled for {cause:?}, which nobody gave"))
    }

    /// Whether somebody may have cancelled it for this cause: itself or a source that it is linked to.
    fn may_be(&self, id: Id, cause: Cause) -> bool {
        let source = &self.sources[id];
        let own = match cause {
            Cause::Requested => source.asked,
            Cause::TimedOut => source.timed,
            Cause::Error(number) => source.errors.contains(&number),
        };
        own || source.links.iter().any(|link| self.may_be(link.parent, cause))
    }

    /// A call that gives this error as the cause begins.
    pub(in crate::threads) fn asking_because(&mut self, source: Id, error: u32) -> Began {
        self.sources[source].errors.push(error);
        self.sources[source].asked_at.push(self.now);
        self.begin(source)
    }

    /// The last handle was dropped by an operation that began then, and what a token says after it.
    pub(in crate::threads) fn last_dropped(
        &mut self,
        began: Began,
        cancelled: bool,
        possible: bool,
    ) -> Result<(), Broken> {
        must(cancelled == possible, "R11", || format!("source {} is gone and can still be cancelled", began.source))?;
        self.polled(began, cancelled)?;
        if !cancelled {
            self.sources[began.source].gone = true;
            self.sources[began.source].gone_at = Some(self.now);
            self.taken_away(began.source, began.time)?;
        }
        Ok(())
    }

    pub(in crate::threads) fn can_be_cancelled(
        &mut self,
        began: Began,
        was_gone: bool,
        answer: bool,
    ) -> Result<(), Broken> {
        must(answer || !began.seen, "R1", || format!("source {} is cancelled and cannot be", began.source))?;
        must(!answer || !was_gone, "R11", || format!("source {} is gone and can still be cancelled", began.source))
    }

    pub(in crate::threads) fn is_gone(&self, source: Id) -> bool {
        self.sources[source].gone_at.is_some_and(|gone| gone.is_over_by(&self.now))
    }

    pub(in crate::threads) fn armed(&mut self, source: Id) {
        self.sources[source].asked_at.push(self.now);
        self.sources[source].armed = true;
        self.sources[source].timed = true;
        self.sources[source].silent = true;
    }

    pub(in crate::threads) fn promise(&mut self, source: Id) {
        self.sources[source].promised = true;
    }

    pub(in crate::threads) fn is_promised(&self, source: Id) -> bool {
        self.sources[source].promised
    }

    /// A call that can make the request begins.
    pub(in crate::threads) fn asking(&mut self, source: Id) -> Began {
        self.sources[source].asked = true;
        self.sources[source].asked_at.push(self.now);
        self.begin(source)
    }

    /// Whoever makes the request now tells nobody.
    pub(in crate::threads) fn silent(&mut self, source: Id) {
        self.sources[source].silent = true;
    }

    /// A request ended; `thread` ran the callbacks, if it says it did.
    pub(in crate::threads) fn requested(&mut self, thread: usize, began: Began, how: Request) -> Result<(), Broken> {
        let id = began.source;
        self.see(id)?;
        if how == Request::Before {
            return Ok(());
        }
        let source = &mut self.sources[id];
        source.made += 1;
        must(!began.seen, "R2", || format!("source {id}: a request was made where one was seen before"))?;
        must(source.made == 1, "R2", || format!("source {id}: the request was made twice"))?;
        source.stopped |= how == Request::Stopped;
        source.left |= how == Request::Left;
        if how != Request::Left {
            let notifier = source.notifier.is_none_or(|notifier| notifier == thread);
            must(notifier, "R7", || format!("source {id}: the callbacks ran on another thread than the request's"))?;
        }
        self.waits_released(Of::Request(id))?;
        if how == Request::Made { self.have_run(id, began.time) } else { Ok(()) }
    }

    /// Sources that this request must have reached, if a handle of theirs is left.
    pub(in crate::threads) fn reached(&self, began: Began) -> Vec<Id> {
        let ours = |link: &Link| link.parent == began.source && link.ended.is_over_by(&began.time) && self.holds(link);
        let owes = |child: &Source| child.links.iter().any(ours);
        let live = self.sources.iter().enumerate().filter(|(_, child)| child.handles > child.dropping && owes(child));
        live.map(|(id, _)| id).collect()
    }

    pub(in crate::threads) fn was_reached(&mut self, child: Id, cancelled: bool) -> Result<(), Broken> {
        let gone = self.sources[child].may_be_gone();
        if cancelled {
            self.see(child)?;
        }
        must(cancelled || gone, "R10", || format!("source {child} is live, and its parent's request is over"))
    }

    /// Whether no reset of the parent can have removed the link.
    fn holds(&self, link: &Link) -> bool {
        let parent = &self.sources[link.parent];
        parent.resetting == 0 && parent.reset.is_none_or(|reset| reset.is_over_by(&link.began))
    }

    pub(in crate::threads) fn resetting(&mut self, source: Id) -> Began {
        self.sources[source].resetting += 1;
        self.begin(source)
    }

    pub(in crate::threads) fn reset(&mut self, began: Began, reset: bool) -> Result<(), Broken> {
        let now = self.now;
        let source = &mut self.sources[began.source];
        source.resetting -= 1;
        if !reset {
            return Ok(());
        }
        must(!began.seen, "R1", || format!("source {} was cancelled, and was reset", began.source))?;
        source.reset = Some(now);
        source.armed = false;
        self.taken_away(began.source, began.time)
    }

    /// A parent whose request has reached the source, which has a handle left.
    fn reaching(&self, id: Id) -> Option<Id> {
        let source = &self.sources[id];
        let reached = |link: &&Link| {
            let parent = &self.sources[link.parent];
            parent.seen && !parent.stopped && self.holds(link)
        };
        source.links.iter().find(reached).filter(|_| source.handles > source.dropping).map(|link| link.parent)
    }

    /// Whether the source is cancelled now that no thread can go on. What a job is to do may not be done.
    pub(super) fn is_owed(&self, id: Id) -> bool {
        self.sources[id].seen || self.reaching(id).is_some_and(|parent| !self.sources[parent].left)
    }

    /// Everything is over, and the source is cancelled or not.
    pub(super) fn finish_source(&self, id: Id, cancelled: bool) -> Result<(), Broken> {
        let source = &self.sources[id];
        must(cancelled || !source.seen, "R1", || format!("source {id} was cancelled, and is live again"))?;
        if cancelled {
            must(!source.gone, "R11", || format!("source {id} was cancelled after its last handle was gone"))?;
            let caused = source.asked || !source.errors.is_empty() || source.armed || !source.links.is_empty();
            must(caused, "R2", || format!("source {id} is cancelled, and nobody asked for it"))?;
            must(source.silent || source.made == 1, "R2", || format!("source {id}: nobody made the request"))?;
            return self.waits_released(Of::Request(id));
        }
        let parent = self.reaching(id);
        must(parent.is_none(), "R10", || format!("source {id} is live, and its parent {parent:?} is cancelled"))
    }
}
