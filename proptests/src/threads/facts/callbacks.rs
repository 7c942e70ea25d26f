//! Facts about callbacks: that they run once, in order, and not after they were removed.

use super::{Broken, Facts, Id, Label, Of, Time, must};

/// A callback.
#[derive(Debug)]
pub(super) struct Callback {
    pub(super) source: Id,
    /// Its owner is a frame of this thread, which alone drops the closure.
    borrowed: bool,
    /// Who registered it, when that began, and when it was over.
    by: usize,
    began: Time,
    registered: Option<Time>,
    /// The registration is empty.
    refused: bool,
    /// The thread it runs or ran on, and whether it is over.
    run: Option<(usize, bool)>,
    inline: bool,
    /// The thread that dropped its closure, and whether that is over.
    drop: Option<(usize, bool)>,
    /// When it was over.
    dropped: Option<Time>,
    /// `unregister` was `false`, and nobody else can have removed it: it ran or was about to.
    must_run: bool,
    /// `unregister` was `true`.
    removed: bool,
    /// Calls under way that may remove it.
    removing: usize,
    /// A call that removes it for good began.
    let_go: bool,
    /// A call that removes it for good, and waits, is over.
    over: bool,
    /// When it was reset away, or dropped with the last handle.
    away: Option<Time>,
}

impl Callback {
    pub(super) fn is_dropped(&self) -> bool {
        self.drop.is_some_and(|(_, over)| over)
    }

    /// Whether the drop of its closure happens before, if it is over.
    fn dropped_before(&self, now: &Time) -> bool {
        self.dropped.is_none_or(|dropped| dropped.is_before(now))
    }

    /// Whether somebody may have removed it by now.
    fn may_be_removed(&self) -> bool {
        self.removed || self.let_go || self.removing > 0 || self.away.is_some()
    }

    /// Whether it runs on another thread.
    fn runs_elsewhere(&self, thread: usize) -> bool {
        self.run.is_some_and(|(runner, over)| runner != thread && !over)
    }
}

impl Facts {
    /// A closure is handed over to be registered.
    pub(in crate::threads) fn registering(&mut self, source: Id, by: usize, borrowed: bool) -> Label {
        let began = self.now;
        self.callbacks.push(Callback {
            source,
            borrowed,
            by,
            began,
            registered: None,
            refused: false,
            run: None,
            inline: false,
            drop: None,
            dropped: None,
            must_run: false,
            removed: false,
            removing: 0,
            let_go: false,
            over: false,
            away: None,
        });
        self.callbacks.len() - 1
    }

    /// It is registered, or ran at once, or neither.
    pub(in crate::threads) fn registered(&mut self, label: Label, empty: bool) -> Result<(), Broken> {
        let now = self.now;
        let callback = &mut self.callbacks[label];
        callback.registered = Some(now);
        callback.refused = empty;
        let inline = callback.inline;
        must(empty || !inline, "R3", || format!("callback {label} ran at once, and is registered"))?;
        if empty && !inline {
            let source = callback.source;
            let gone = source == 0 || self.sources[source].may_be_gone();
            must(gone, "R9", || format!("callback {label} was refused by a source that was there"))?;
        }
        Ok(())
    }

    /// The body begins around which a callback is registered: it ran at once, or is registered, or was refused.
    pub(in crate::threads) fn body_begins(&mut self, label: Label) {
        let now = self.now;
        let source = self.callbacks[label].source;
        let refused = source == 0 || self.sources[source].may_be_gone();
        let callback = &mut self.callbacks[label];
        callback.registered = Some(now);
        callback.refused = refused || callback.inline;
    }

    /// A callback starts, and whether it sees the request.
    pub(in crate::threads) fn starts(&mut self, label: Label, thread: usize, sees: bool) -> Result<bool, Broken> {
        let callback = &self.callbacks[label];
        let id = callback.source;
        must(callback.run.is_none(), "R3", || format!("callback {label} runs a second time"))?;
        must(!callback.removed, "R4", || format!("callback {label} runs, and unregister was true"))?;
        must(!callback.over, "R5", || format!("callback {label} runs after it was disposed"))?;
        must(callback.away.is_none(), "R3", || format!("callback {label} runs after a reset, or without a source"))?;
        must(callback.drop.is_none(), "R15", || format!("callback {label} runs, and its closure was dropped"))?;
        must(sees, "G1", || format!("callback {label} does not see the request"))?;
        let registered = callback.began.is_before(&self.now);
        must(registered, "G2", || format!("callback {label} runs, and its registration does not happen before"))?;
        let inline = callback.registered.is_none() && callback.by == thread;
        self.callbacks[label].run = Some((thread, false));
        self.callbacks[label].inline = inline;
        if !inline {
            let notifier = *self.sources[id].notifier.get_or_insert(thread);
            must(notifier == thread, "R7", || format!("callback {label} runs on another thread than the others"))?;
            self.newer_ones_ran(label)?;
            self.waits_released(Of::Request(id))?;
        }
        self.see(id)?;
        Ok(!inline)
    }

    /// Those registered certainly later, and there for certain, have run before.
    fn newer_ones_ran(&self, label: Label) -> Result<(), Broken> {
        let this = &self.callbacks[label];
        let Some(registered) = this.registered else { return Ok(()) };
        let late = self.callbacks.iter().position(|newer| {
            let there = newer.source == this.source && newer.registered.is_some() && !newer.refused;
            there
                && registered.is_over_by(&newer.began)
                && match newer.run {
                    None => !newer.may_be_removed(),
                    Some((_, over)) => !over && !newer.inline,
                }
        });
        must(late.is_none(), "R7", || format!("callback {label} runs before the newer one {late:?}"))
    }

    pub(in crate::threads) fn ends(&mut self, label: Label) {
        if let Some((_, over)) = &mut self.callbacks[label].run {
            *over = true;
        }
    }

    pub(in crate::threads) fn drops(&mut self, label: Label, thread: usize) -> Result<(), Broken> {
        let callback = &mut self.callbacks[label];
        let running = callback.run.is_some_and(|(_, over)| !over);
        must(callback.drop.is_none(), "R15", || format!("the closure of callback {label} is dropped a second time"))?;
        must(!running, "R15", || format!("the closure of callback {label} is dropped while it runs"))?;
        must(!callback.over, "R5", || format!("the closure of callback {label} is dropped after it was disposed"))?;
        callback.drop = Some((thread, false));
        Ok(())
    }

    pub(in crate::threads) fn dropped(&mut self, label: Label) {
        self.callbacks[label].dropped = Some(self.now);
        if let Some((_, over)) = &mut self.callbacks[label].drop {
            *over = true;
        }
    }

    /// Somebody begins to remove it; if `for_good`, it will be gone whatever is answered.
    pub(in crate::threads) fn removing(&mut self, label: Label, for_good: bool) -> Time {
        let callback = &mut self.callbacks[label];
        callback.removing += 1;
        callback.let_go |= for_good;
        self.now
    }

    /// `unregister`, which began then, answered.
    pub(in crate::threads) fn unregistered(&mut self, label: Label, began: Time, answer: bool) -> Result<(), Broken> {
        let callback = &mut self.callbacks[label];
        callback.removing -= 1;
        if answer {
            must(callback.run.is_none(), "R4", || format!("callback {label} has started, and unregister is true"))?;
            must(!callback.removed, "R4", || format!("callback {label} is unregistered twice"))?;
            let before = callback.away.is_some_and(|away| away.is_over_by(&began));
            must(!before, "R4", || format!("callback {label} was removed before, and unregister is true"))?;
            callback.removed = true;
            let dropped = callback.is_dropped() && callback.dropped_before(&self.now);
            return must(dropped, "G5", || format!("callback {label} is unregistered, and its closure not dropped"));
        }
        let callback = &self.callbacks[label];
        let excused = callback.refused || callback.may_be_removed();
        let removed = excused || self.sources[callback.source].may_have_removed(callback.began);
        self.callbacks[label].must_run |= !removed;
        Ok(())
    }

    /// A dispose, in whatever form, is over.
    pub(in crate::threads) fn disposed(&mut self, label: Label, thread: usize) -> Result<(), Broken> {
        let callback = &mut self.callbacks[label];
        callback.removing -= 1;
        must(!callback.runs_elsewhere(thread), "R5", || format!("callback {label} is disposed and still runs"))?;
        let running_here = callback.run.is_some_and(|(_, over)| !over);
        let dropping_here = callback.drop.is_some_and(|(dropper, over)| dropper == thread && !over);
        if running_here || dropping_here {
            return Ok(());
        }
        callback.over = true;
        let dropped = callback.is_dropped();
        must(dropped, "R5", || format!("callback {label} is disposed, and its closure is not dropped"))?;
        let before = callback.dropped_before(&self.now);
        must(before, "G3", || format!("callback {label} is disposed, and its end does not happen before"))
    }

    /// A dispose that does not wait is over.
    pub(in crate::threads) fn let_go(&mut self, label: Label) {
        self.callbacks[label].removing -= 1;
    }

    /// What was registered with `source` before `began` has been reset away, or dropped with the last handle.
    pub(super) fn taken_away(&mut self, source: Id, began: Time) -> Result<(), Broken> {
        let now = self.now;
        for (label, callback) in self.callbacks.iter_mut().enumerate() {
            let before = callback.registered.is_some_and(|registered| registered.is_over_by(&began));
            if callback.source != source || !before || callback.refused {
                continue;
            }
            must(callback.run.is_none(), "R1", || format!("callback {label} ran, and its source was reset or live"))?;
            let elsewhere = callback.borrowed || callback.removed || callback.let_go || callback.removing > 0;
            let dropped = elsewhere || callback.is_dropped();
            must(dropped, "R15", || format!("callback {label} was taken away, and its closure is not dropped"))?;
            callback.away.get_or_insert(now);
        }
        Ok(())
    }

    /// A request made by a call that began then is over: what was registered before has run, or was removed.
    pub(super) fn have_run(&self, source: Id, began: Time) -> Result<(), Broken> {
        let left = self.callbacks.iter().position(|callback| {
            let before = callback.registered.is_some_and(|registered| registered.is_over_by(&began));
            let over = callback.run.is_some_and(|(_, over)| over) && (callback.borrowed || callback.is_dropped());
            let away = callback.refused || callback.may_be_removed() || self.sources[source].was_reset(callback.began);
            callback.source == source && before && !over && !away
        });
        must(left.is_none(), "R8", || {
            format!("source {source}: the request is over, and callback {left:?} has not run")
        })
    }

    /// Everything is over, and the source is cancelled, or not, or nobody knows.
    pub(super) fn finish_callback(&self, label: Label, cancelled: Option<bool>) -> Result<(), Broken> {
        let callback = &self.callbacks[label];
        let source = &self.sources[callback.source];
        let ran = callback.run.is_some();
        must(!ran || cancelled != Some(false), "R3", || format!("callback {label} ran, and nobody cancelled"))?;
        must(ran || !callback.must_run, "R4", || format!("callback {label} did not run, and unregister was false"))?;
        if cancelled == Some(true) && !ran {
            let excused = callback.may_be_removed() || source.stopped || source.was_reset(callback.began);
            must(excused, "R3", || format!("callback {label} did not run, and its source is cancelled"))?;
        }
        Ok(())
    }
}
