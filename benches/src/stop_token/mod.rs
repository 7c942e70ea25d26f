//! C++'s `std::stop_token`, where it was built.

#[cfg(std_stop_token)]
mod foreign;

use crate::Row;
use crate::crowd::Crowd;

/// Its rows in a group.
#[cfg(std_stop_token)]
pub(crate) fn rows(group: &str) -> Vec<Row> {
    foreign::rows(group)
}

/// With its row, of closures.
#[cfg(std_stop_token)]
pub(crate) fn crowded(crowd: Crowd) -> Crowd {
    foreign::crowded(crowd)
}

/// No C++20 compiler was found.
#[cfg(not(std_stop_token))]
pub(crate) fn crowded(crowd: Crowd) -> Crowd {
    crowd
}

/// No C++20 compiler was found.
#[cfg(not(std_stop_token))]
pub(crate) fn rows(_group: &str) -> Vec<Row> {
    Vec::new()
}
