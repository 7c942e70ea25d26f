//! C++'s `std::stop_token`, where it was built.

#[cfg(std_stop_token)]
mod foreign;

use crate::Row;

/// Its rows in a group.
#[cfg(std_stop_token)]
pub(crate) fn rows(group: &str) -> Vec<Row> {
    foreign::rows(group)
}

/// No C++20 compiler was found.
#[cfg(not(std_stop_token))]
pub(crate) fn rows(_group: &str) -> Vec<Row> {
    Vec::new()
}
