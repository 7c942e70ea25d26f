//! The token's scenarios, by what they are about.

mod callbacks;
mod common;
mod lifetimes;
mod links;
mod mixes;
mod polls;
mod registrations;

use weakest::model::{Entry, Model};

/// All of them, on one platform.
#[must_use]
pub fn entries<M: Model>() -> Vec<Entry> {
    macro_rules! entries {
        ($($scenario:path),* $(,)?) => { vec![$(Entry::of::<$scenario, M>()),*] };
    }
    entries![
        polls::CancelVsPoll,
        polls::CancelVsCancel,
        polls::ChainOfThreeVsPoll,
        registrations::CancelVsRegister,
        registrations::CancelVsUnregister,
        registrations::CancelVsDispose,
        registrations::CancelVsWithCallback,
        registrations::CancelVsDetach,
        registrations::RegisterVsRegister,
        registrations::RegisterVsUnregister,
        registrations::UnregisterVsUnregister,
        links::CancelVsLink,
        links::CancelVsDropOfChild,
        links::CancelParentVsCancelChild,
        links::CancelVsCancelOfTwoParents,
        links::DropOfParentVsDropOfChild,
        links::LinkVsDropOfSibling,
        lifetimes::DropOfTokenVsDropOfSource,
        lifetimes::DropsOfThreeTokens,
        lifetimes::DropsOfTwoSources,
        lifetimes::DropOfSourceVsUnregister,
        lifetimes::DropOfSourceVsDispose,
        lifetimes::DropOfSourceVsRegister,
        lifetimes::CancelVsDropOfSource,
        callbacks::RegisterInsideCallbackVsDispose,
        callbacks::DisposeInsideCallbackVsCancel,
        callbacks::PanickingCallbackVsDispose,
        callbacks::FailFastVsUnregister,
        callbacks::OrderThroughALinkVsPoll,
        mixes::RegisterVsRegisterVsCancel,
        mixes::DisposeVsPollVsCancel,
        mixes::UnregisterVsCancelVsCancel,
        mixes::LinkVsDropOfChildVsCancel,
    ]
}
