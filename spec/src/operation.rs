//! The operation alphabet: what a program can do with a token, and what .NET calls it.

macro_rules! operations {
    ($( $(#[$meta:meta])* $Variant:ident: $name:literal $(= $dotnet:literal)?; )+) => {
        /// A public operation of the token.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Operation {
            $( $(#[$meta])* $Variant, )+
        }

        /// Every operation.
        pub const OPERATIONS: &[Operation] = &[$(Operation::$Variant),+];

        impl Operation {
            /// Path of the operation below the crate's root; a drop is `drop(Type)`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Operation::$Variant => $name),+ }
            }

            /// Its .NET counterpart, if there is one.
            #[must_use]
            pub const fn dotnet(self) -> Option<&'static str> {
                match self { $(Operation::$Variant => operations!(@dotnet $($dotnet)?)),+ }
            }
        }
    };
    (@dotnet $dotnet:literal) => { Some($dotnet) };
    (@dotnet) => { None };
}

operations! {
    /// Makes a source.
    New: "CancellationTokenSource::new" = "new CancellationTokenSource()";
    /// Makes a source that cancels itself.
    WithTimeout: "CancellationTokenSource::with_timeout" = "new CancellationTokenSource(TimeSpan)";
    /// Makes a source that cancels itself by a given clock.
    WithTimeoutOn: "CancellationTokenSource::with_timeout_on" = "new CancellationTokenSource(TimeSpan, TimeProvider)";
    /// Makes a source that is cancelled with any of its parents.
    Linked: "CancellationTokenSource::linked" = "CancellationTokenSource.CreateLinkedTokenSource";
    /// Makes a source that is cancelled with any of its parents, or cancels itself.
    LinkedWithTimeout: "CancellationTokenSource::linked_with_timeout";
    /// Makes a source that is cancelled with any of its parents, or cancels itself by a given clock.
    LinkedWithTimeoutOn: "CancellationTokenSource::linked_with_timeout_on";
    /// Takes the source's token.
    SourceToken: "CancellationTokenSource::token" = "CancellationTokenSource.Token";
    /// Polls through the source.
    SourceIsCancelled: "CancellationTokenSource::is_cancelled" = "CancellationTokenSource.IsCancellationRequested";
    /// Makes the request; panics if callbacks did.
    Cancel: "CancellationTokenSource::cancel" = "CancellationTokenSource.Cancel()";
    /// Makes the request; the callbacks' panics are a value.
    TryCancel: "CancellationTokenSource::try_cancel";
    /// Makes the request; the first panic ends it.
    CancelFailFast: "CancellationTokenSource::cancel_fail_fast" = "CancellationTokenSource.Cancel(true)";
    /// Makes the request for a reason.
    CancelBecause: "CancellationTokenSource::cancel_because";
    /// Makes the request; the callbacks run elsewhere.
    CancelOn: "CancellationTokenSource::cancel_on" = "CancellationTokenSource.CancelAsync";
    /// Arms the timer.
    CancelAfter: "CancellationTokenSource::cancel_after" = "CancellationTokenSource.CancelAfter(TimeSpan)";
    /// Switches the timer off.
    Disarm: "CancellationTokenSource::disarm" = "CancellationTokenSource.CancelAfter(Timeout.InfiniteTimeSpan)";
    /// Makes a source that was never cancelled as good as new.
    TryReset: "CancellationTokenSource::try_reset" = "CancellationTokenSource.TryReset";
    /// Makes a guard that cancels when dropped.
    DropGuard: "CancellationTokenSource::drop_guard";
    /// Makes a weak handle.
    Downgrade: "CancellationTokenSource::downgrade" = "new WeakReference<CancellationTokenSource>";
    /// Makes a source handle of a weak one, while there is another.
    Upgrade: "WeakSource::upgrade" = "WeakReference<CancellationTokenSource>.TryGetTarget";
    /// Makes the request, while there is a source handle.
    WeakCancel: "WeakSource::cancel";
    /// Takes the token of a weak handle.
    WeakToken: "WeakSource::token";
    /// Drops a source handle; the last one removes the callbacks.
    DropSource: "drop(CancellationTokenSource)" = "CancellationTokenSource.Dispose";
    /// Takes the token of a guard.
    GuardToken: "DropGuard::token";
    /// Gives up a guard without a request.
    DropGuardDisarm: "DropGuard::disarm";
    /// Drops a guard: the request.
    DropDropGuard: "drop(DropGuard)";
    /// Runs the callbacks of a request made elsewhere.
    JobRun: "CancelJob::run";
    /// Drops a job that did not run: it runs.
    DropJob: "drop(CancelJob)";
    /// Polls whether the callbacks of a request are done.
    CompletionIsComplete: "CancelCompletion::is_complete" = "Task.IsCompleted";
    /// Blocks until the callbacks of a request are done.
    CompletionWait: "CancelCompletion::wait" = "Task.Wait()";
    /// Awaits the callbacks of a request.
    CompletionPoll: "CancelCompletion::poll" = "await";
    /// The token that is never cancelled.
    None: "CancellationToken::none" = "CancellationToken.None";
    /// A token that is cancelled, or never is.
    NewToken: "CancellationToken::new" = "new CancellationToken(bool)";
    /// Polls.
    IsCancelled: "CancellationToken::is_cancelled" = "CancellationToken.IsCancellationRequested";
    /// Asks whether a request can still come, or came.
    CanBeCancelled: "CancellationToken::can_be_cancelled" = "CancellationToken.CanBeCanceled";
    /// Polls; cancelled is an error.
    Check: "CancellationToken::check" = "CancellationToken.ThrowIfCancellationRequested";
    /// Asks why the request was made.
    Cause: "CancellationToken::cause";
    /// Asks an error why the request was made.
    CancelledCause: "Cancelled::cause";
    /// Registers a callback.
    Register: "CancellationToken::register" = "CancellationToken.Register(Action)";
    /// Registers a callback that is given the token.
    RegisterWithToken: "CancellationToken::register_with_token"
        = "CancellationToken.Register(Action<object, CancellationToken>, object)";
    /// Registers a borrowing callback while a body runs.
    WithCallback: "CancellationToken::with_callback";
    /// Blocks until the request.
    Wait: "CancellationToken::wait" = "CancellationToken.WaitHandle.WaitOne()";
    /// Blocks until the request, or for a time.
    WaitTimeout: "CancellationToken::wait_timeout" = "CancellationToken.WaitHandle.WaitOne(TimeSpan)";
    /// Awaits the request.
    Cancelled: "CancellationToken::cancelled";
    /// Awaits the request, owning the token.
    CancelledOwned: "CancellationToken::cancelled_owned";
    /// Awaits a future or the request, whichever is first.
    RunUntilCancelled: "CancellationToken::run_until_cancelled" = "Task.WaitAsync(CancellationToken)";
    /// Removes a callback, without waiting.
    Unregister: "Registration::unregister" = "CancellationTokenRegistration.Unregister";
    /// Removes a callback, or waits for it.
    Dispose: "Registration::dispose" = "CancellationTokenRegistration.Dispose";
    /// Removes a callback, or awaits it.
    DisposeAsync: "Registration::dispose_async" = "CancellationTokenRegistration.DisposeAsync";
    /// Leaves the callback registered for good.
    Detach: "Registration::detach";
    /// Drops a registration: as dispose.
    DropRegistration: "drop(Registration)" = "CancellationTokenRegistration.Dispose";
    /// Takes the token the registration was made on.
    RegistrationToken: "Registration::token" = "CancellationTokenRegistration.Token";
    /// Reads a clock.
    Now: "TimeProvider::now" = "TimeProvider.GetTimestamp";
    /// Makes a timer.
    Timer: "TimeProvider::timer" = "TimeProvider.CreateTimer";
    /// Arms a timer.
    TimerArm: "Timer::arm" = "ITimer.Change";
    /// Switches a timer off.
    TimerDisarm: "Timer::disarm" = "ITimer.Change(Timeout.InfiniteTimeSpan, …)";
    /// Makes a clock that stands still.
    NewManualTime: "ManualTime::new" = "new FakeTimeProvider()";
    /// Moves a clock and fires what fell due.
    Advance: "ManualTime::advance" = "FakeTimeProvider.Advance";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{OPERATIONS, Operation};

    #[test]
    fn no_two_operations_share_a_name() {
        let names: BTreeSet<_> = OPERATIONS.iter().map(|op| op.name()).collect();
        assert_eq!(names.len(), OPERATIONS.len());
    }

    #[test]
    fn both_ways_to_end_a_registration_are_dispose() {
        assert_eq!(Operation::Dispose.dotnet(), Operation::DropRegistration.dotnet());
        assert_eq!(Operation::Detach.dotnet(), None);
    }
}
