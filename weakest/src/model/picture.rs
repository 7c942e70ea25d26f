//! A failing execution as data, for whoever draws it.

use serde::{Deserialize, Serialize};

/// An execution: what its threads do, in an order that extends happens-before, and how that hangs together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// How many threads there are.
    pub threads: usize,
    /// What they do.
    pub rows: Vec<PictureRow>,
    /// Between rows.
    pub relations: Vec<Relation>,
}

/// What a thread does at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureRow {
    /// Which thread.
    pub thread: usize,
    /// What it does, in words.
    pub text: String,
    /// The source file, as the compiler was given it, and the line; none where the operation is the explorer's own.
    pub place: Option<(String, u32)>,
    /// Whether it is a part of what is wrong.
    pub wrong: bool,
    /// It happened before another thread's row that knows of so many events of its thread.
    pub events: u32,
    /// How many events of each thread happened before it.
    pub knows: Vec<u32>,
}

/// How two rows hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// Place of the first in [`Picture::rows`].
    pub from: usize,
    /// Place of the second.
    pub to: usize,
    /// What it is.
    pub kind: RelationKind,
}

/// A relation of the execution graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelationKind {
    /// The second reads what the first wrote.
    ReadsFrom,
    /// It does, and acquires what the first released.
    SynchronizesWith,
    /// A thread is started, or its end is waited for.
    Thread,
    /// The two that together are wrong.
    Wrong,
}
