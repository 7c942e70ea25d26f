//! The token's scenarios, by what they are about.

mod bombs;
mod callbacks;
mod causes;
mod clocks;
mod common;
pub mod crowds;
mod forced;
mod futures;
mod jobs;
mod lifetimes;
mod links;
mod loud_wakers;
mod mixes;
mod polls;
mod registrations;
mod resets;
mod timers;
mod waits;
mod weak;

use weakest::model::{Entry, Model};

/// The registry: calls the macro `$then` with every scenario as `module::Type = name`. Whatever must do something for
/// each of them (the table below, a test per scenario) is a macro to be called with it.
#[macro_export]
macro_rules! scenarios {
    ($then:ident) => {
        $then! {
            polls::CancelVsPoll = cancel_vs_poll,
            polls::CancelVsCancel = cancel_vs_cancel,
            polls::ChainOfThreeVsPoll = chain_of_three_vs_poll,
            registrations::CancelVsRegister = cancel_vs_register,
            registrations::CancelVsUnregister = cancel_vs_unregister,
            registrations::CancelVsDispose = cancel_vs_dispose,
            registrations::CancelVsWithCallback = cancel_vs_with_callback,
            registrations::CancelVsDetach = cancel_vs_detach,
            registrations::RegisterVsRegister = register_vs_register,
            registrations::RegisterVsUnregister = register_vs_unregister,
            registrations::UnregisterVsUnregister = unregister_vs_unregister,
            links::CancelVsLink = cancel_vs_link,
            links::CancelVsDropOfChild = cancel_vs_drop_of_child,
            links::CancelParentVsCancelChild = cancel_parent_vs_cancel_child,
            links::CancelVsCancelOfTwoParents = cancel_vs_cancel_of_two_parents,
            links::DropOfParentVsDropOfChild = drop_of_parent_vs_drop_of_child,
            links::LinkVsDropOfSibling = link_vs_drop_of_sibling,
            links::FailFastVsDropOfChild = fail_fast_vs_drop_of_child,
            lifetimes::DropOfTokenVsDropOfSource = drop_of_token_vs_drop_of_source,
            lifetimes::DropOfTokenVsDispose = drop_of_token_vs_dispose,
            lifetimes::DropOfTokenVsTokenOfRegistration = drop_of_token_vs_token_of_registration,
            lifetimes::TokensOfTwoRegistrations = tokens_of_two_registrations,
            lifetimes::DropsOfThreeTokens = drops_of_three_tokens,
            lifetimes::DropsOfTwoSources = drops_of_two_sources,
            lifetimes::DropOfSourceVsUnregister = drop_of_source_vs_unregister,
            lifetimes::DropOfSourceVsDispose = drop_of_source_vs_dispose,
            lifetimes::DropOfSourceVsRegister = drop_of_source_vs_register,
            lifetimes::CancelVsDropOfSource = cancel_vs_drop_of_source,
            callbacks::RegisterInsideCallbackVsDispose = register_inside_callback_vs_dispose,
            callbacks::DisposeInsideCallbackVsCancel = dispose_inside_callback_vs_cancel,
            callbacks::PanickingCallbackVsDispose = panicking_callback_vs_dispose,
            callbacks::FailFastVsUnregister = fail_fast_vs_unregister,
            callbacks::OrderThroughALinkVsPoll = order_through_a_link_vs_poll,
            waits::CancelVsWait = cancel_vs_wait,
            waits::CancelVsWaitTimeout = cancel_vs_wait_timeout,
            waits::CancelVsFuture = cancel_vs_future,
            waits::CancelVsSecondPoll = cancel_vs_second_poll,
            waits::CancelVsDropOfFuture = cancel_vs_drop_of_future,
            waits::WaitVsCallbackThatWaitsForIt = wait_vs_callback_that_waits_for_it,
            waits::PanickingWakerVsWait = panicking_waker_vs_wait,
            jobs::JobVsWait = job_vs_wait,
            jobs::JobVsFuture = job_vs_future,
            jobs::CancelOnVsRegister = cancel_on_vs_register,
            jobs::CancelVsDisposeAsync = cancel_vs_dispose_async,
            jobs::CancelVsDropOfDisposeAsync = cancel_vs_drop_of_dispose_async,
            jobs::JobVsDispose = job_vs_dispose,
            timers::TimerVsCancel = timer_vs_cancel,
            timers::TimerVsDropOfSource = timer_vs_drop_of_source,
            resets::TimerVsReset = timer_vs_reset,
            resets::RearmedTimerVsReset = rearmed_timer_vs_reset,
            resets::CancelOfParentVsReset = cancel_of_parent_vs_reset,
            resets::ResetVsRegister = reset_vs_register,
            timers::CancelAfterVsCancel = cancel_after_vs_cancel,
            timers::TimerVsWait = timer_vs_wait,
            timers::RearmedTimerVsRegister = rearmed_timer_vs_register,
            forced::UnregisterVsRunningCallback = unregister_vs_running_callback,
            forced::DisposeVsOtherRunningCallback = dispose_vs_other_running_callback,
            forced::DisposeAsyncVsRunningCallback = dispose_async_vs_running_callback,
            forced::CancelOnVsRunningJob = cancel_on_vs_running_job,
            forced::DispatchedCallbackVsDispose = dispatched_callback_vs_dispose,
            forced::DispatchedCallbackVsFailFast = dispatched_callback_vs_fail_fast,
            futures::CancelVsOwnedFuture = cancel_vs_owned_future,
            futures::CancelVsFutureAfterFuture = cancel_vs_future_after_future,
            futures::CancelOfParentVsWaits = cancel_of_parent_vs_waits,
            futures::CancelsVsWaitForBoth = cancels_vs_wait_for_both,
            futures::CancelVsRunUntilCancelled = cancel_vs_run_until_cancelled,
            futures::CancelVsInterruptibleWait = cancel_vs_interruptible_wait,
            futures::CancelVsDropAfterSecondPoll = cancel_vs_drop_after_second_poll,
            callbacks::PanickingDropVsUnregister = panicking_drop_vs_unregister,
            mixes::RegisterVsRegisterVsCancel = register_vs_register_vs_cancel,
            mixes::DisposeVsPollVsCancel = dispose_vs_poll_vs_cancel,
            mixes::UnregisterVsCancelVsCancel = unregister_vs_cancel_vs_cancel,
            mixes::LinkVsDropOfChildVsCancel = link_vs_drop_of_child_vs_cancel,
            causes::CancelBecauseVsCancel = cancel_because_vs_cancel,
            causes::CancelBecauseVsTimerVsCancel = cancel_because_vs_timer_vs_cancel,
            causes::CancelBecauseVsCause = cancel_because_vs_cause,
            causes::CancelBecauseVsCancelBecauseOfTwoParents = cancel_because_vs_cancel_because_of_two_parents,
            causes::CancelBecauseVsLink = cancel_because_vs_link,
            causes::TimerVsCancelOfParent = timer_vs_cancel_of_parent,
            causes::DropOfTokenVsDropOfSourceWithABombAsCause = drop_of_token_vs_drop_of_source_with_a_bomb_as_cause,
            causes::CancelBecauseOfABombVsCancel = cancel_because_of_a_bomb_vs_cancel,
            weak::UpgradeVsDropOfSource = upgrade_vs_drop_of_source,
            weak::UpgradeVsCloneVsDropOfSource = upgrade_vs_clone_vs_drop_of_source,
            weak::UpgradeVsUpgradeVsDropOfSource = upgrade_vs_upgrade_vs_drop_of_source,
            weak::WeakCancelVsDropOfSource = weak_cancel_vs_drop_of_source,
            weak::CancelVsCancelOfAPair = cancel_vs_cancel_of_a_pair,
            weak::DropsOfAPair = drops_of_a_pair,
            weak::UpgradeVsReset = upgrade_vs_reset,
            clocks::CancelAfterVsCancelOfATimer = cancel_after_vs_cancel_of_a_timer,
            clocks::DisarmVsCancelOfATimer = disarm_vs_cancel_of_a_timer,
            clocks::CancelAfterVsDropOfSource = cancel_after_vs_drop_of_source,
            clocks::CancelAfterVsCancelOfALoudArm = cancel_after_vs_cancel_of_a_loud_arm,
            clocks::ResetAfterALoudArmVsRegister = reset_after_a_loud_arm_vs_register,
            clocks::CancelAfterVsCancelOfALoudDisarm = cancel_after_vs_cancel_of_a_loud_disarm,
            clocks::CancelAfterVsCancelOfALoudTimer = cancel_after_vs_cancel_of_a_loud_timer,
            bombs::DropOfChildOfABombVsCancel = drop_of_child_of_a_bomb_vs_cancel,
            bombs::DropOfChildOfALargeBombVsCancel = drop_of_child_of_a_large_bomb_vs_cancel,
            bombs::DisposeVsDropOfTokenOfABomb = dispose_vs_drop_of_token_of_a_bomb,
            bombs::DropOfSourceOfBombsVsUnregister = drop_of_source_of_bombs_vs_unregister,
            bombs::ResetOfBombsVsRegister = reset_of_bombs_vs_register,
            bombs::CancelOfBombsVsDispose = cancel_of_bombs_vs_dispose,
            loud_wakers::CancelVsPollAfterABomb = cancel_vs_poll_after_a_bomb,
            loud_wakers::JobVsPollAfterABomb = job_vs_poll_after_a_bomb,
            bombs::LinkByABombVsCancel = link_by_a_bomb_vs_cancel,
        }
    };
}

macro_rules! table {
    ($($module:ident::$Scenario:ident = $name:ident,)*) => {
        /// Every scenario of the token, on the platform `M`.
        #[must_use]
        pub fn entries<M: Model>() -> Vec<Entry> {
            vec![$(Entry::of::<$module::$Scenario, M>()),*]
        }

        #[cfg(test)]
        const NAMES: &[(&str, &str)] = &[$(
            (stringify!($name), <$module::$Scenario as weakest::model::Scenario>::CLAIM.name)
        ),*];
    };
}
scenarios!(table);

#[cfg(test)]
mod tests {
    #[test]
    fn the_registry_calls_each_scenario_by_its_name() {
        for (registered, claimed) in super::NAMES {
            assert_eq!(registered, claimed);
        }
    }
}
