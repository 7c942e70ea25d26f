//! A channel for many senders and one receiver, as [`std::sync::mpsc`].

use std::collections::VecDeque;
use std::sync::PoisonError;

pub use std::sync::mpsc::{RecvError, SendError, TryRecvError};

use super::{Arc, Condvar, Mutex, MutexGuard};

#[derive(Debug)]
struct State<T> {
    messages: VecDeque<T>,
    senders: usize,
    is_received: bool,
}

#[derive(Debug)]
struct Channel<T> {
    state: Mutex<State<T>>,
    arrival: Condvar,
}

impl<T> Channel<T> {
    #[track_caller]
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sending half.
#[derive(Debug)]
pub struct Sender<T>(Arc<Channel<T>>);

/// The receiving half.
#[derive(Debug)]
pub struct Receiver<T>(Arc<Channel<T>>);

/// A channel without a bound.
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let state = State { messages: VecDeque::new(), senders: 1, is_received: true };
    let channel = Arc::new(Channel { state: Mutex::new(state), arrival: Condvar::new() });
    (Sender(channel.clone()), Receiver(channel))
}

impl<T> Sender<T> {
    /// Sends a message. Does not block.
    ///
    /// # Errors
    /// If the receiver is gone.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let mut state = self.0.state();
        if !state.is_received {
            return Err(SendError(message));
        }
        state.messages.push_back(message);
        drop(state);
        self.0.arrival.notify_one();
        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.state().senders += 1;
        Self(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.senders = state.senders.saturating_sub(1);
        let is_last = state.senders == 0;
        drop(state);
        if is_last {
            self.0.arrival.notify_one();
        }
    }
}

impl<T> Receiver<T> {
    /// Waits for a message.
    ///
    /// # Errors
    /// If there is none, and no sender is left.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        let mut state = self.0.state();
        loop {
            if let Some(message) = state.messages.pop_front() {
                return Ok(message);
            }
            if state.senders == 0 {
                return Err(RecvError);
            }
            state = self.0.arrival.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes a message if there is one.
    ///
    /// # Errors
    /// If there is none.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut state = self.0.state();
        let none = if state.senders == 0 { TryRecvError::Disconnected } else { TryRecvError::Empty };
        state.messages.pop_front().ok_or(none)
    }

    /// Messages until no sender is left.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.recv().ok())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_received = false;
        let rest = std::mem::take(&mut state.messages);
        drop(state);
        drop(rest);
    }
}
