//! How an audit ends, or why it cannot go on.

/// How an audit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All killed, and the baseline passes.
    Clean = 0,
    /// A survivor, or something broken.
    Found = 1,
    /// Wrong usage.
    Usage = 2,
    /// Something ran out of its bound, or was interrupted.
    Unfinished = 3,
}

impl Exit {
    /// The graver of two: what was found, then what was left open.
    pub fn or(self, other: Self) -> Self {
        let gravity = |exit| [Self::Clean, Self::Unfinished, Self::Found, Self::Usage].iter().position(|&e| e == exit);
        if gravity(other) > gravity(self) { other } else { self }
    }
}

/// Why an audit cannot go on.
#[derive(Debug)]
pub enum Failure {
    /// The caller's mistake, with the valid choices.
    Usage(String),
    /// The machine's: a file that cannot be written, a process that cannot be started.
    Io(String),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error.to_string())
    }
}
