//! The ordering table of .NET's protocol: every atomic access, and the fences that `Interlocked` implies.
//!
//! The steps are those of .NET's published behaviour; the code around them is our own. A volatile read is an acquire, a
//! volatile write a release; an `Interlocked` operation is `SeqCst` with a `SeqCst` fence on either side. The system's
//! event object and the timer queue have locks of their own: their four accesses are the same in every dialect.

weakest::sites! {
    /// Every atomic access of .NET's protocol, by name; the orderings are those of the dialect *as .NET*.
    pub enum Step for "dotnet" {
        /// `is_cancelled`.
        Poll {
            op: Load, ordering: Acquire, dotnet: Step("every \"is it cancelled\" check: the state field", Volatile),
            serves: ["G1"], because: "whoever sees the request also sees what was written before it",
        }
        /// `cancel`: is it cancelled already?
        CancelCheck {
            op: Load, ordering: Acquire, dotnet: Step("every \"is it cancelled\" check: the state field", Volatile),
            serves: ["G1"], because: "a caller that is told `false` sees what was written before the request",
        }
        /// `cancel` makes the request.
        Request {
            op: CasSuccess, ordering: SeqCst,
            dotnet: Step("make the request: state NotCancelled to Notifying", Interlocked),
            serves: ["G1", "R9", "R13", "DISARM"],
            because: "publishes what was written before the request; then looks for the timer, the event and the registrations",
        }
        /// `cancel` finds that another request was made meanwhile.
        RequestLost {
            op: CasFailure, ordering: SeqCst,
            dotnet: Step("make the request: state NotCancelled to Notifying", Interlocked),
            serves: ["G1"], because: "a caller that is told `false` sees what was written before the request",
        }
        /// `cancel` takes the registry out of the source.
        Take {
            op: Rmw, ordering: SeqCst, dotnet: Step("the set pointer, taken by cancel with an exchange", Interlocked),
            serves: ["R9", "G2"], because: "receives the registry; whoever publishes one later must see the request",
        }
        /// `cancel` looks for the registry and leaves it where it is: a variant, not .NET.
        LookForRegistry {
            op: Load, ordering: Acquire,
            dotnet: Absent(".NET takes the set with an exchange; the variant asks whether that matters"),
            serves: ["R9", "G2"], because: "receives the registry",
        }
        /// The request is over: nothing was registered.
        FinishEmpty {
            op: Rmw, ordering: SeqCst,
            dotnet: Step("finish the request: state to Complete when nothing was registered", Interlocked),
            serves: ["G1"], because: "keeps the request visible to whoever reads this value",
        }
        /// The thread that runs the callbacks, for `dispose`.
        Runner {
            op: Store, ordering: Release, dotnet: Step("on which thread callbacks run: thread id", Volatile),
            serves: ["R6"], because: "the thread finds itself there, so a callback does not wait for itself",
        }
        /// The callback that runs, for `dispose`; written while the lock is held.
        Executing {
            op: Store, ordering: Relaxed,
            dotnet: Step("which callback is running: executing id, a plain write under the lock", Plain),
            serves: ["G3"], because: "the callback before this one is over",
        }
        /// The request is over: every callback has run.
        Finish {
            op: Store, ordering: Release,
            dotnet: Step("finish the request: state to Complete in the general path", Volatile),
            serves: ["G1", "G3"], because: "publishes the ends of the callbacks, and the request anew",
        }
        /// No callback runs any more.
        ClearExecuting {
            op: Rmw, ordering: SeqCst, dotnet: Step("executing id, cleared by an exchange at the end", Interlocked),
            serves: ["G3"], because: "publishes the end of the last callback",
        }
        /// `register`: is it cancelled already?
        RegisterCheck {
            op: Load, ordering: Acquire, dotnet: Step("every \"is it cancelled\" check: the state field", Volatile),
            serves: ["G1"], because: "a callback that runs here sees what was written before the request",
        }
        /// `register` looks for the registry.
        FindRegistry {
            op: Load, ordering: Acquire, dotnet: Step("find the registration set", Volatile),
            serves: ["G2"], because: "receives the registry from whoever made it",
        }
        /// `register` publishes the registry that it made.
        Publish {
            op: CasSuccess, ordering: SeqCst, dotnet: Step("publish the registration set", Interlocked),
            serves: ["G2", "R9"], because: "publishes the registry; then the state is read again",
        }
        /// `register` finds that another thread was first.
        PublishLost {
            op: CasFailure, ordering: SeqCst, dotnet: Step("publish the registration set", Interlocked),
            serves: ["G2"], because: "receives the registry from whoever made it",
        }
        /// `register`, once the callback is linked: was it cancelled meanwhile?
        Recheck {
            op: Load, ordering: Acquire, dotnet: Step("after linking the callback: state again", Volatile),
            serves: ["G1", "R9"], because: "if the request did not find the callback, this finds the request",
        }
        /// The spin lock over the callback list is taken.
        LockEnter {
            op: CasSuccess, ordering: SeqCst,
            dotnet: Step("enter the spin lock over the callback list: lock word", Interlocked),
            serves: ["G1", "G2", "G3", "G5", "R9"], because: "receives the list from whoever unlocked last",
        }
        /// The lock is found held.
        LockMiss {
            op: CasFailure, ordering: SeqCst,
            dotnet: Step("enter the spin lock over the callback list: lock word", Interlocked),
            serves: [], because: "only a guess for the next attempt",
        }
        /// Waiting for the lock.
        LockSpin {
            op: Load, ordering: Acquire, dotnet: Step("SpinWait while the lock word is taken", Volatile),
            serves: [], because: "only a guess for the next attempt",
        }
        /// The lock is released.
        LockLeave {
            op: Store, ordering: Release, dotnet: Step("leave the spin lock: lock word", Volatile),
            serves: ["G1", "G2", "G3", "G5", "R9"], because: "publishes the list",
        }
        /// `dispose`, when the callback is no longer registered: was the source cancelled?
        DisposeRequested {
            op: Load, ordering: Acquire, dotnet: Step("every \"is it cancelled\" check: the state field", Volatile),
            serves: ["G3"], because: "the lock has shown it already",
        }
        /// `dispose`: are all callbacks over?
        DisposeDone {
            op: Load, ordering: Acquire, dotnet: Step("every \"is it cancelled\" check: the state field", Volatile),
            serves: ["G3"], because: "receives the ends of the callbacks",
        }
        /// `dispose`: do the callbacks run on this very thread?
        DisposeRunner {
            op: Load, ordering: Acquire, dotnet: Step("on which thread callbacks run: thread id", Volatile),
            serves: ["R6"], because: "only the thread itself stores its id",
        }
        /// `dispose` waits until another callback runs, or none.
        DisposeWait {
            op: Load, ordering: Acquire, dotnet: Step("Dispose spins on the executing id", Volatile),
            serves: ["G3", "R5"], because: "receives the end of the callback",
        }
        /// `wait_handle` looks for the event.
        FindEvent {
            op: Load, ordering: Acquire, dotnet: Step("the lazily made wait handle", Volatile),
            serves: ["G1"], because: "receives the event from whoever made it",
        }
        /// `wait_handle` publishes the event that it made.
        PublishEvent {
            op: CasSuccess, ordering: SeqCst,
            dotnet: Step("the lazily made wait handle: compare-exchange", Interlocked),
            serves: ["R13", "G1"], because: "publishes the event; then the state is read again",
        }
        /// `wait_handle` finds that another thread was first.
        PublishEventLost {
            op: CasFailure, ordering: SeqCst,
            dotnet: Step("the lazily made wait handle: compare-exchange", Interlocked),
            serves: ["G1"], because: "receives the event from whoever made it",
        }
        /// `wait_handle`, once the event is there: was it cancelled meanwhile?
        RecheckForEvent {
            op: Load, ordering: Acquire,
            dotnet: Step("the lazily made wait handle: then a read of the state", Volatile),
            serves: ["R13", "G1"], because: "if the request did not find the event, this finds the request",
        }
        /// `cancel` looks for the event.
        SignalEvent {
            op: Load, ordering: Acquire, dotnet: Step("the lazily made wait handle", Volatile),
            serves: ["R13", "G1"], because: "receives the event from whoever made it",
        }
        /// `cancel_after`: is it cancelled already?
        CancelAfterCheck {
            op: Load, ordering: Acquire, dotnet: Step("every \"is it cancelled\" check: the state field", Volatile),
            serves: [], because: "nothing is read on the strength of it",
        }
        /// `cancel_after` looks for the timer.
        FindTimer {
            op: Load, ordering: Acquire, dotnet: Step("the lazily made timer", Volatile),
            serves: ["G1"], because: "receives the timer from whoever made it",
        }
        /// `cancel_after` publishes the timer that it made.
        PublishTimer {
            op: CasSuccess, ordering: SeqCst, dotnet: Step("the lazily made timer: compare-exchange", Interlocked),
            serves: ["DISARM", "G1"], because: "publishes the timer; then the state is read again",
        }
        /// `cancel_after` finds that another thread was first.
        PublishTimerLost {
            op: CasFailure, ordering: SeqCst, dotnet: Step("the lazily made timer: compare-exchange", Interlocked),
            serves: ["G1"], because: "receives the timer from whoever made it",
        }
        /// `cancel_after`, once the timer is armed: was it cancelled meanwhile?
        RecheckForTimer {
            op: Load, ordering: Acquire, dotnet: Step("the lazily made timer: then a read of the state", Volatile),
            serves: ["DISARM"], because: "if the request did not find the timer, this finds the request",
        }
        /// `cancel` looks for the timer.
        StopTimer {
            op: Load, ordering: Acquire, dotnet: Step("the lazily made timer", Volatile),
            serves: ["DISARM", "G1"], because: "receives the timer from whoever made it",
        }
        /// The event is set.
        EventSet {
            op: Store, ordering: Release, dotnet: Absent("inside the system's event object"),
            serves: ["G1", "R13"], because: "publishes the request to whoever waits",
        }
        /// Waiting for the event.
        EventWait {
            op: Load, ordering: Acquire, dotnet: Absent("inside the system's event object"),
            serves: ["G1"], because: "receives the request",
        }
        /// The timer is armed, unless it was stopped.
        TimerArm {
            op: CasSuccess, ordering: AcqRel, dotnet: Absent("inside the timer queue, under its lock"),
            serves: ["G1", "DISARM"], because: "publishes what was written before it was armed",
        }
        /// The timer cannot be armed: it was stopped.
        TimerArmMiss {
            op: CasFailure, ordering: Relaxed, dotnet: Absent("inside the timer queue, under its lock"),
            serves: [], because: "nothing is read on the strength of it",
        }
        /// The timer is not armed, so it does not fire.
        TimerFireMiss {
            op: CasFailure, ordering: Relaxed, dotnet: Absent("inside the timer queue, under its lock"),
            serves: [], because: "nothing is read on the strength of it",
        }
        /// The timer is stopped for good.
        TimerStop {
            op: Rmw, ordering: AcqRel, dotnet: Absent("inside the timer queue, under its lock"),
            serves: ["DISARM"], because: "it fires no more",
        }
        /// The timer fires.
        TimerFire {
            op: CasSuccess, ordering: AcqRel, dotnet: Absent("inside the timer queue, under its lock"),
            serves: ["G1"], because: "receives what was written before it was armed",
        }
        /// The full fence of Interlocked before `Request`.
        RequestBefore {
            op: Fence, ordering: SeqCst, dotnet: Step("the full fence of Interlocked before the request", Interlocked),
            serves: ["R9", "R13", "DISARM"],
            because: "what comes before the request is visible before what comes after is read",
        }
        /// The full fence of Interlocked after `Request`.
        RequestAfter {
            op: Fence, ordering: SeqCst, dotnet: Step("the full fence of Interlocked after the request", Interlocked),
            serves: ["R9", "R13", "DISARM"],
            because: "what comes before the request is visible before what comes after is read",
        }
        /// The full fence of Interlocked before `Take`.
        TakeBefore {
            op: Fence, ordering: SeqCst,
            dotnet: Step("the full fence of Interlocked before taking the registry", Interlocked),
            serves: ["R9"], because: "what comes before taking the registry is visible before what comes after is read",
        }
        /// The full fence of Interlocked after `Take`.
        TakeAfter {
            op: Fence, ordering: SeqCst,
            dotnet: Step("the full fence of Interlocked after taking the registry", Interlocked),
            serves: ["R9"], because: "what comes before taking the registry is visible before what comes after is read",
        }
        /// The full fence of Interlocked before `FinishEmpty`.
        FinishEmptyBefore {
            op: Fence, ordering: SeqCst,
            dotnet: Step("the full fence of Interlocked before the end of a request that had nothing to run", Interlocked),
            serves: ["G1"],
            because: "what comes before the end of a request that had nothing to run is visible before what comes after is read",
        }
        /// The full fence of Interlocked after `FinishEmpty`.
        FinishEmptyAfter {
            op: Fence, ordering: SeqCst,
            dotnet: Step("the full fence of Interlocked after the end of a request that had nothing to run", Interlocked),
            serves: ["G1"],
            because: "what comes before the end of a request that had nothing to run is visible before what comes after is read",
        }
        /// The full fence of Interlocked before `ClearExecuting`.
        ClearExecutingBefore {
            op: Fence, ordering: SeqCst,
            dotnet: Step("the full fence of Interlocked before the end of the last callback", Interlocked),
            serves: ["G3"],
            because: "what comes before the end of the last callback is visible before what comes after is read",
        }
        /// The full fence of Interlocked after `ClearExecuting`.
        ClearExecutingAfter {
            op: Fence, ordering: SeqCst,
            dotnet: Step("the full fence of Interlocked after the end of the last callback", Interlocked),
            serves: ["G3"],
            because: "what comes before the end of the last callback is visible before what comes after is read",
        }
        /// The full fence of Interlocked before `Publish`.
        PublishBefore {
            op: Fence, ordering: SeqCst,
            dotnet: Step("the full fence of Interlocked before publishing the registry", Interlocked),
            serves: ["R9"],
            because: "what comes before publishing the registry is visible before what comes after is read",
        }
        /// The full fence of Interlocked after `Publish`.
        PublishAfter {
            op: Fence, ordering: SeqCst,
            dotnet: Step("the full fence of Interlocked after publishing the registry", Interlocked),
            serves: ["R9"],
            because: "what comes before publishing the registry is visible before what comes after is read",
        }
        /// The full fence of Interlocked before `LockEnter`.
        LockEnterBefore {
            op: Fence, ordering: SeqCst,
            dotnet: Step("the full fence of Interlocked before taking the lock", Interlocked),
            serves: ["G3", "R9"],
            because: "what comes before taking the lock is visible before what comes after is read",
        }
        /// The full fence of Interlocked after `LockEnter`.
        LockEnterAfter {
            op: Fence, ordering: SeqCst,
            dotnet: Step("the full fence of Interlocked after taking the lock", Interlocked),
            serves: ["G3", "R9"],
            because: "what comes before taking the lock is visible before what comes after is read",
        }
        /// The full fence of Interlocked before `PublishEvent`.
        PublishEventBefore {
            op: Fence, ordering: SeqCst,
            dotnet: Step("the full fence of Interlocked before publishing the event", Interlocked),
            serves: ["R13"],
            because: "what comes before publishing the event is visible before what comes after is read",
        }
        /// The full fence of Interlocked after `PublishEvent`.
        PublishEventAfter {
            op: Fence, ordering: SeqCst,
            dotnet: Step("the full fence of Interlocked after publishing the event", Interlocked),
            serves: ["R13"],
            because: "what comes before publishing the event is visible before what comes after is read",
        }
        /// The full fence of Interlocked before `PublishTimer`.
        PublishTimerBefore {
            op: Fence, ordering: SeqCst,
            dotnet: Step("the full fence of Interlocked before publishing the timer", Interlocked),
            serves: ["DISARM"],
            because: "what comes before publishing the timer is visible before what comes after is read",
        }
        /// The full fence of Interlocked after `PublishTimer`.
        PublishTimerAfter {
            op: Fence, ordering: SeqCst,
            dotnet: Step("the full fence of Interlocked after publishing the timer", Interlocked),
            serves: ["DISARM"],
            because: "what comes before publishing the timer is visible before what comes after is read",
        }
    }
}
