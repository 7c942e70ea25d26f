//! Ends what the explorer cannot: a thread of a model that makes no operation any more, and one that has used up its
//! stack.
//!
//! Threads of a model are coroutines, so one that blocks the thread of the system, or loops without an operation, never
//! comes back to the explorer. The *watchdog*, a thread of its own, sees that and sends the exploring thread a signal,
//! whose handler makes the coroutine return at once, without unwinding. The guard page below a stack sends one too.
//!
//! # Invariants
//! 1. `RUNNING` is not null while a coroutine runs on this thread, and only then; it points to what [`run`] was given.
//! 2. A coroutine is left only where nothing else is half done: in code of this program, or in a system call that
//!    waits, while the explorer's own cells are not borrowed and the thread does not unwind. Elsewhere (in the
//!    allocator, say) the watchdog tries again, and at last ends the process with a message.
//! 3. A coroutine that was left keeps its stack: nothing of it is dropped, used again or freed.
//! 4. The watchdog signals the threads in `WATCHED` only, while it has the lock on it; a thread takes itself out before
//!    it ends.
#![expect(unsafe_code, reason = "handles signals and changes where a thread goes on")]

use std::cell::Cell;
use std::fmt::Write;
use std::ops::Range;
use std::ptr::null;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use corosensei::trap::CoroutineTrapHandler;

use super::runtime::{self, Access};
use super::trace::at;

/// The coroutine that runs.
pub(super) struct Running {
    /// Its number.
    pub(super) thread: usize,
    /// What it did last.
    pub(super) last: Option<Access>,
    /// The way out of it.
    pub(super) trap: CoroutineTrapHandler<()>,
}

/// Why a coroutine was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// It made no operation any more.
    Still,
    /// It used up its stack.
    Overflow,
}

impl Left {
    /// In words.
    pub(super) fn describe(self, thread: usize, last: Option<&Access>, stack: usize) -> String {
        let after = match last {
            Some(access) => format!("after {}{}", access.name, at(access)),
            None => "before its first operation".to_owned(),
        };
        match self {
            Self::Still => format!(
                "thread {thread} makes no operation any more, {after}: it waits for what the model does not see (a std \
                 `Mutex` held over an operation, a std atomic, a channel), or computes without an end"
            ),
            Self::Overflow => format!(
                "thread {thread} has used up its stack of {stack} bytes, {after}: `Settings::stack`, or the environment \
                 variable `WEAKEST_STACK`, gives it more"
            ),
        }
    }
}

thread_local! {
    static RUNNING: Cell<*const Running> = const { Cell::new(null()) };
    static LEFT: Cell<Option<Left>> = const { Cell::new(None) };
    static BEAT: Cell<*const Beat> = const { Cell::new(null()) };
}

/// Runs a coroutine up to its next operation; says why it was left, if it was.
pub(super) fn run<R>(running: &Running, resume: impl FnOnce() -> R) -> (R, Option<Left>) {
    struct Back;
    impl Drop for Back {
        fn drop(&mut self) {
            RUNNING.set(null());
            beat();
        }
    }
    RUNNING.set(running);
    beat();
    let back = Back;
    let result = resume();
    drop(back);
    (result, LEFT.take())
}

/// Notes that the thread has gone from the explorer to a coroutine, or back.
fn beat() {
    // SAFETY: the beat is that of this thread's `Watch`, which keeps it until it has taken the pointer away.
    if let Some(beat) = unsafe { BEAT.get().as_ref() } {
        beat.count.store(beat.count.load(Relaxed) + 1, Relaxed);
    }
}

/// What the watchdog knows of an exploration.
#[derive(Debug)]
struct Beat {
    /// How often the thread has gone from the explorer to a coroutine, or back: odd in a coroutine.
    count: AtomicU64,
    thread: libc::pthread_t,
    patience: Duration,
    /// When the exploration is to be over.
    deadline: Option<Instant>,
    /// Whether the coroutine is to be left.
    due: AtomicBool,
    seen: Mutex<Seen>,
}

/// What the watchdog saw when it looked last.
#[derive(Debug)]
struct Seen {
    count: u64,
    since: Instant,
    signals: u32,
}

/// How often the watchdog looks.
const TICK: Duration = Duration::from_millis(50);
/// How long a thread may go without an operation once the exploration's time is over.
const GRACE: Duration = Duration::from_secs(1);
/// Signals without an effect after which the process is ended: ten seconds.
const SIGNALS: u32 = 200;

impl Beat {
    /// Sends a signal if the thread has been in one coroutine for too long.
    fn look(&self) {
        let (count, now) = (self.count.load(Relaxed), Instant::now());
        let mut seen = lock(&self.seen);
        if count.is_multiple_of(2) || seen.count != count {
            *seen = Seen { count, since: now, signals: 0 };
            self.due.store(false, Relaxed);
            return;
        }
        let is_late = self.deadline.is_some_and(|deadline| now >= deadline);
        let patience = if is_late { self.patience.min(GRACE) } else { self.patience };
        if now - seen.since < patience {
            return;
        }
        self.due.store(true, Relaxed);
        seen.signals += 1;
        if seen.signals > SIGNALS {
            eprintln!("weakest: a thread of a model makes no operation any more, and cannot be left where it is");
            std::process::abort();
        }
        // SAFETY: Invariant 4: the thread is there.
        unsafe { libc::pthread_kill(self.thread, libc::SIGURG) };
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

static WATCHED: Mutex<Vec<Arc<Beat>>> = Mutex::new(Vec::new());
static MORE: Condvar = Condvar::new();

/// Looks at every exploration of the process now and then.
fn watch_all() {
    loop {
        let watched = MORE.wait_while(lock(&WATCHED), |watched| watched.is_empty());
        watched.unwrap_or_else(PoisonError::into_inner).iter().for_each(|beat| beat.look());
        thread::sleep(TICK);
    }
}

/// An exploration on this thread that is watched.
#[derive(Debug)]
pub(super) struct Watch(Arc<Beat>);

impl Watch {
    /// Begins. Without a further thread there is no watchdog, and the exploration goes without.
    pub(super) fn start(time: Option<Duration>, patience: Duration) -> Self {
        static STARTED: OnceLock<()> = OnceLock::new();
        STARTED.get_or_init(|| {
            handle_signals();
            drop(thread::Builder::new().name("weakest's watchdog".to_owned()).spawn(watch_all));
        });
        let beat = Arc::new(Beat {
            count: AtomicU64::new(0),
            // SAFETY: has no condition.
            thread: unsafe { libc::pthread_self() },
            patience,
            deadline: time.and_then(|time| Instant::now().checked_add(time)),
            due: AtomicBool::new(false),
            seen: Mutex::new(Seen { count: 0, since: Instant::now(), signals: 0 }),
        });
        BEAT.set(Arc::as_ptr(&beat));
        lock(&WATCHED).push(beat.clone());
        MORE.notify_one();
        Self(beat)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        BEAT.set(null());
        lock(&WATCHED).retain(|beat| !Arc::ptr_eq(beat, &self.0));
    }
}

/// Where a coroutine may be left: code of this program, and the system call that waits.
static CODE: OnceLock<[Range<usize>; 2]> = OnceLock::new();

/// The signals, and what handled them before.
static BEFORE: OnceLock<[(libc::c_int, libc::sigaction); 4]> = OnceLock::new();

/// Installs the handlers, once for the process.
fn handle_signals() {
    /// More than the code of `syscall` of any C library.
    const SYSCALL: usize = 64;
    let here = handle_signals as fn() as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let range = |line: &str| {
        let (start, end) = line.split(' ').next()?.split_once('-')?;
        Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
    };
    let own = maps.lines().filter_map(range).find(|range| range.contains(&here)).unwrap_or_default();
    let syscall = libc::syscall as *const () as usize;
    _ = CODE.set([own, syscall..syscall + SYSCALL]);
    let install = |signal| {
        // SAFETY: zeroes are a `sigaction` that does nothing special.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        let mut before = action;
        action.sa_sigaction = on_signal as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
        // SAFETY: both are valid, and the handler keeps to what a handler may do.
        unsafe { libc::sigaction(signal, &raw const action, &raw mut before) };
        (signal, before)
    };
    _ = BEFORE.set([libc::SIGURG, libc::SIGSEGV, libc::SIGBUS, libc::SIGABRT].map(install));
}

/// Leaves the coroutine, or says what it did, or does what was done before.
extern "C" fn on_signal(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: by Invariant 1 it is null or lives as long as the coroutine runs, which is below this handler.
    let running = unsafe { RUNNING.get().as_ref() };
    // SAFETY: the system passes the context of the code that it has interrupted, which is nobody else's meanwhile.
    let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    match (signal, running) {
        (libc::SIGURG, Some(running)) => {
            // SAFETY: as in `beat`.
            let is_due = unsafe { BEAT.get().as_ref() }.is_some_and(|beat| beat.due.load(Relaxed));
            if is_due && may_leave(running, context) {
                leave(running, Left::Still, context);
            }
        }
        (libc::SIGURG, None) => {}
        (libc::SIGSEGV | libc::SIGBUS, Some(running)) if in_stack(running, info) => {
            if may_leave(running, context) {
                leave(running, Left::Overflow, context);
            } else {
                say(running, "has used up its stack (`WEAKEST_STACK` gives it more)");
                by_default(signal);
            }
        }
        (libc::SIGABRT, Some(running)) => {
            say(running, "aborts the process");
            as_before(signal, info, context);
        }
        _ => as_before(signal, info, context),
    }
}

/// Whether the address that was accessed and must not be is in the coroutine's stack: then it is in the guard page.
fn in_stack(running: &Running, info: *const libc::siginfo_t) -> bool {
    // SAFETY: the system passes it.
    let info = unsafe { &*info };
    // SAFETY: of these signals the system tells the address.
    let address = unsafe { info.si_addr() };
    running.trap.stack_ptr_in_bounds(address.addr())
}

/// Invariant 2.
fn may_leave(running: &Running, context: &libc::ucontext_t) -> bool {
    let (at, stack) = machine::place(context);
    let in_code = CODE.get().is_some_and(|code| code.iter().any(|range| range.contains(&at)));
    in_code && running.trap.stack_ptr_in_bounds(stack) && !thread::panicking() && runtime::is_idle()
}

/// Has the thread go on at the coroutine's end.
fn leave(running: &Running, why: Left, context: &mut libc::ucontext_t) {
    LEFT.set(Some(why));
    // SAFETY: the stack pointer is in the coroutine, and by Invariant 2 nothing else is half done.
    let registers = unsafe { running.trap.setup_trap_handler(|| ()) };
    machine::go_on(context, &registers);
}

/// Says what a thread does that ends the process; allocates nothing.
fn say(running: &Running, does: &str) {
    let mut text = Text { bytes: [0; 512], len: 0 };
    let after = running.last.as_ref().map_or("nothing yet", |access| access.name);
    // What does not fit is left out.
    _ = writeln!(text, "weakest: thread {} of the model, whose last operation was {after}, {does}", running.thread);
    // SAFETY: the bytes are there.
    unsafe { libc::write(2, text.bytes.as_ptr().cast(), text.len) };
}

/// A text of limited length.
struct Text {
    bytes: [u8; 512],
    len: usize,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// Does with a signal what was done before.
fn as_before(signal: libc::c_int, info: *mut libc::siginfo_t, context: &mut libc::ucontext_t) {
    let before = BEFORE.get().and_then(|before| before.iter().find(|(of, _)| *of == signal));
    let Some((_, action)) = before else { return by_default(signal) };
    if action.sa_sigaction == libc::SIG_IGN {
        return;
    }
    if action.sa_sigaction == libc::SIG_DFL {
        return by_default(signal);
    }
    if action.sa_flags & libc::SA_SIGINFO == 0 {
        // SAFETY: without the flag the handler takes the signal alone.
        let handler = unsafe { std::mem::transmute::<usize, extern "C" fn(libc::c_int)>(action.sa_sigaction) };
        return handler(signal);
    }
    type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
    // SAFETY: with the flag the handler takes these three.
    let handler = unsafe { std::mem::transmute::<usize, Handler>(action.sa_sigaction) };
    handler(signal, info, std::ptr::from_mut(context).cast());
}

/// Gives a signal its default effect, which comes when the interrupted code goes on.
fn by_default(signal: libc::c_int) {
    // SAFETY: has no condition, and is allowed in a handler.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// The registers.
#[cfg(target_arch = "x86_64")]
mod machine {
    use corosensei::trap::TrapHandlerRegs;

    /// Where the interrupted code is, and its stack pointer.
    pub(super) fn place(context: &libc::ucontext_t) -> (usize, usize) {
        let register = |which: libc::c_int| context.uc_mcontext.gregs[which.unsigned_abs() as usize].cast_unsigned();
        (register(libc::REG_RIP) as usize, register(libc::REG_RSP) as usize)
    }

    /// Has it go on with these registers.
    pub(super) fn go_on(context: &mut libc::ucontext_t, registers: &TrapHandlerRegs) {
        let TrapHandlerRegs { rip, rsp, rbp, rdi, rsi, .. } = *registers;
        let changes = [
            (libc::REG_RIP, rip),
            (libc::REG_RSP, rsp),
            (libc::REG_RBP, rbp),
            (libc::REG_RDI, rdi),
            (libc::REG_RSI, rsi),
        ];
        for (register, value) in changes {
            context.uc_mcontext.gregs[register.unsigned_abs() as usize] = value.cast_signed();
        }
    }
}

/// The registers.
#[cfg(target_arch = "aarch64")]
mod machine {
    use corosensei::trap::TrapHandlerRegs;

    /// Where the interrupted code is, and its stack pointer.
    pub(super) fn place(context: &libc::ucontext_t) -> (usize, usize) {
        (context.uc_mcontext.pc as usize, context.uc_mcontext.sp as usize)
    }

    /// Has it go on with these registers.
    pub(super) fn go_on(context: &mut libc::ucontext_t, registers: &TrapHandlerRegs) {
        let TrapHandlerRegs { pc, sp, x0, x1, x29, lr, .. } = *registers;
        let machine = &mut context.uc_mcontext;
        (machine.pc, machine.sp) = (pc, sp);
        (machine.regs[0], machine.regs[1], machine.regs[29], machine.regs[30]) = (x0, x1, x29, lr);
    }
}
