//! The ordering table: every atomic access of the token, its ordering, and what needs it.

weakest::sites! {
    /// Every atomic access of the token, by name.
    pub enum Site for "rescind" {
        /// `is_cancelled`, and every check that needs no lock.
        Poll {
            op: Load, ordering: Acquire,
            dotnet: Step("poll, and every \"is it cancelled\" check: the state field", Volatile),
            serves: ["G1"],
            because: "whoever sees the request also sees what was written before it; pairs with Unlock, which publishes the request",
        }
        /// `can_be_cancelled` and `Debug`, a guess before the lock is taken, and what a last handle finds.
        Peek {
            op: Load, ordering: Relaxed,
            dotnet: Step("CanBeCanceled reads no shared state: it is true for every token that has a source", Plain),
            serves: [],
            because: "the answer may be out of date at once and nothing is read on its strength; at a last handle RefLast has received what it reads",
        }
        /// The lock over the callback list is taken.
        LockAcquire {
            op: CasSuccess, ordering: Acquire,
            dotnet: Step("enter the spin lock over the callback list: lock word", Interlocked),
            serves: ["G1", "G2", "G3", "R15"],
            because: "receives the list, the callbacks and their ends from whoever unlocked last",
        }
        /// An attempt to take the lock that found it held, or the state changed.
        LockMiss {
            op: CasFailure, ordering: Relaxed,
            dotnet: Step("enter the spin lock over the callback list: lock word", Interlocked),
            serves: [],
            because: "the value found is only a guess for the next attempt, whose success acquires",
        }
        /// Waiting for the lock to be free.
        LockSpin {
            op: Load, ordering: Relaxed,
            dotnet: Step("SpinWait while the lock word is taken", Volatile),
            serves: [],
            because: "the value found is only a guess for the next attempt, whose success acquires",
        }
        /// The lock is released; the state that the holder chose, the request among them, becomes visible.
        Unlock {
            op: Store, ordering: Release,
            dotnet: Step("leave the spin lock: lock word; make and finish the request: state field", Volatile),
            serves: ["G1", "G2", "G3", "R15"],
            because: "publishes the list, the callbacks, their ends and what came before the request, to LockAcquire and Poll",
        }
        /// One more handle.
        RefClone {
            op: Rmw, ordering: Relaxed,
            dotnet: Absent("references are counted by the garbage collector"),
            serves: [],
            because: "a new handle is made from a live one, and handed over by something that orders it",
        }
        /// One handle fewer.
        RefDrop {
            op: Rmw, ordering: Release,
            dotnet: Absent("references are counted by the garbage collector"),
            serves: ["G4", "R15"],
            because: "publishes this handle's last use, of the lists too, to whoever releases the state (RefLast)",
        }
        /// The last handle is gone.
        RefLast {
            op: Load, ordering: Acquire,
            dotnet: Absent("references are counted by the garbage collector"),
            serves: ["G4", "R15"],
            because: "receives the last use of every other handle (RefDrop) before the state is released",
        }
        /// A source that is dropped: is it the only handle?
        RefAlone {
            op: Load, ordering: Relaxed,
            dotnet: Absent("references are counted by the garbage collector"),
            serves: [],
            because: "if it is, RefLast receives what the others did; if not, RefDrop decides",
        }
        /// One more source handle.
        SourceClone {
            op: Rmw, ordering: Relaxed,
            dotnet: Absent("a source is disposed by hand; its owners are not counted"),
            serves: [],
            because: "a new handle is made from a live one, and handed over by something that orders it",
        }
        /// One source handle fewer.
        SourceDrop {
            op: Rmw, ordering: Release,
            dotnet: Absent("a source is disposed by hand; its owners are not counted"),
            serves: ["G4"],
            because: "source handles share one count in RefDrop, so each publishes its last use to the last of them (SourceLast)",
        }
        /// `try_reset`, and a source that is dropped: is this the only source handle?
        SourceAlone {
            op: Load, ordering: Relaxed,
            dotnet: Absent("a source is disposed by hand; its owners are not counted"),
            serves: [],
            because: "whatever another handle did before it was dropped try_reset receives by the lock, a drop by SourceLast",
        }
        /// There is a weak handle from now on.
        SourceWeak {
            op: Rmw, ordering: Relaxed,
            dotnet: Absent("a source is disposed by hand; its owners are not counted"),
            serves: [],
            because: "a weak handle is made from a source handle, and whoever drops the last of these counted it later",
        }
        /// An upgrade: is there a source handle?
        SourceSeen {
            op: Load, ordering: Relaxed,
            dotnet: Absent("a source is disposed by hand; its owners are not counted"),
            serves: [],
            because: "the value found is only a guess for SourceUpgrade, or final: no handle comes after the last",
        }
        /// An upgrade: one more source handle, if there is one.
        SourceUpgrade {
            op: CasSuccess, ordering: Relaxed,
            dotnet: Absent("a source is disposed by hand; its owners are not counted"),
            serves: [],
            because: "the state was handed over with the weak handle, and what other handles did the lock orders",
        }
        /// An upgrade that found another number of source handles.
        SourceMiss {
            op: CasFailure, ordering: Relaxed,
            dotnet: Absent("a source is disposed by hand; its owners are not counted"),
            serves: [],
            because: "the value found is only a guess for the next attempt, or final: no handle comes after the last",
        }
        /// The last source handle is gone.
        SourceLast {
            op: Load, ordering: Acquire,
            dotnet: Absent("a source is disposed by hand; its owners are not counted"),
            serves: ["G4"],
            because: "receives the last use of every other source handle (SourceDrop), which the RefDrop that follows passes on",
        }
    }
}
