//! What the token must reach, and `--gate`, which says where it does not.

use super::instructions::Counted;
use super::{LIMIT, OURS, Results, dotnet};

const TOKIO: &str = "tokio-util";
const STD: &str = "std::stop_token";
const EVENTS: &str = "event-listener";

/// In a group, the token's row of this `n` takes at most so many times as long as another row.
#[derive(Debug)]
struct Time(&'static str, u64, (&'static str, u64), f64);

const TIMES: &[Time] = &[
    Time("poll by two threads", 1, (LIMIT, 1), 1.1),
    Time("poll by two threads", 1, (TOKIO, 1), 1.0 / 40.0),
    Time("register on the stack", 1, (LIMIT, 1), 1.25),
    Time("register on the stack", 1, (STD, 1), 0.45),
    Time("register a future", 1, (LIMIT, 1), 1.5),
    Time("register a future", 1, (TOKIO, 1), 0.35),
    Time("register a closure of 16 B", 1, (LIMIT, 1), 1.2),
    Time("register a closure of 16 B", 1, (STD, 1), 0.9),
    Time(dotnet::GROUP, 1, (dotnet::SUBJECT, 1), 1.0),
    Time("register a closure of 64 B", 1, (LIMIT, 1), 1.45),
    Time("register a closure of 64 B", 1, (STD, 1), 0.9),
    Time("register on the stack by two threads", 1, (LIMIT, 1), 2.0),
    Time("register on the stack by two threads", 1, (STD, 1), 1.1),
    Time("register a future by two threads", 1, (LIMIT, 1), 2.0),
    Time("register a future by two threads", 1, (TOKIO, 1), 0.15),
    Time("oversubscribed futures, n threads: 99.9th percentile", 16, (TOKIO, 16), 1.0),
    Time("oversubscribed futures, n threads: 99.9th percentile", 64, (TOKIO, 64), 1.0),
    Time("cancel callbacks", 10, (LIMIT, 10), 1.3),
    Time("cancel callbacks", 1_000, (LIMIT, 1_000), 1.3),
    Time("cancel callbacks", 100_000, (LIMIT, 100_000), 1.3),
    Time("cancel callbacks", 100_000, (OURS, 1_000), 1.5),
    Time("cancel waits", 1_000, (EVENTS, 1_000), 1.1),
    Time("wake tasks", 1_000, (LIMIT, 1_000), 1.2),
    Time("wake tasks", 1_000, (TOKIO, 1_000), 0.85),
    Time("new and drop", 1, (LIMIT, 1), 1.45),
    Time("new and drop", 1, (TOKIO, 1), 0.5),
    Time("clone and drop", 1, (LIMIT, 1), 1.15),
    Time("clone and drop", 1, (TOKIO, 1), 0.35),
    Time("child", 0, (LIMIT, 0), 1.4),
    Time("child", 0, (TOKIO, 0), 0.35),
    Time("child", 100_000, (OURS, 0), 1.1),
    Time("chain: cancel", 1_000, (OURS, 10), 1.3),
    Time("chain: cancel", 10_000, (OURS, 10), 1.3),
    Time("chain: cancel", 10, (OURS, 1_000), 1.3),
    Time("chain: cancel", 10, (OURS, 10_000), 1.3),
];

/// In a group, the token's row of this `n` takes at most so many instructions: as a multiple of another row's, or in
/// all.
#[derive(Debug)]
struct Instructions(&'static str, u64, Option<&'static str>, f64);

const INSTRUCTIONS: &[Instructions] = &[
    Instructions("poll", 1, Some(LIMIT), 1.0),
    Instructions("register on the stack", 1, None, 45.0),
    Instructions("register a future", 1, None, 65.0),
    Instructions("register a closure of 16 B", 1, None, 90.0),
    Instructions("new and drop", 1, Some(STD), 1.15),
    Instructions("child", 1_000, Some(STD), 0.8),
    Instructions("cancel callbacks", 1, Some(STD), 1.2),
    Instructions("cancel waits", 1_000, Some(EVENTS), 1.0),
];

/// Bytes and allocations of the token, at the most; infinite where only a peer limits them.
const MEMORY: &[(&str, f64, f64)] = &[
    ("token", 96.0, 1.0),
    ("child", 128.0, 1.0),
    ("registration of a zero-sized closure", 64.0, 1.0),
    ("registration of 16 B", f64::INFINITY, 1.0),
    ("registration of 64 B", f64::INFINITY, 1.0),
    ("wait, its future boxed", f64::INFINITY, 1.0),
    ("register on the stack", 0.0, 0.0),
    ("register a future", 0.0, 0.0),
    ("register a closure of 16 B", 0.0, 0.0),
    ("register a closure of 64 B", 0.0, 1.0),
    ("child and drop", 0.0, 1.0),
];

/// What a target is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The same on every machine.
    Instructions,
    /// The same on every machine with this allocator.
    Memory,
    /// The machine's, too: of one with dear or cheap read-modify-writes, large or small caches.
    Time,
}

/// A target, what was found, and how much it may be at the most.
#[derive(Debug)]
struct Verdict {
    kind: Kind,
    what: String,
    found: Option<f64>,
    most: f64,
}

/// Prints every target that is not reached or was not measured, those that hold on every machine first; how many there
/// are.
pub(super) fn gate(results: &Results) -> usize {
    let verdicts = verdicts(results);
    let mut missed = 0;
    for (kind, of) in [
        (Kind::Instructions, "instructions, which must hold on every machine"),
        (Kind::Memory, "memory, which must hold on every machine"),
        (Kind::Time, "time, on this machine"),
    ] {
        let all: Vec<_> = verdicts.iter().filter(|verdict| verdict.kind == kind).collect();
        let short = |verdict: &&&Verdict| verdict.found.is_none_or(|found| found > verdict.most);
        let short: Vec<_> = all.iter().filter(short).collect();
        for Verdict { what, found, most, .. } in &short {
            let found = found.map_or("not measured".to_owned(), |found| format!("{found:.3}"));
            println!("SHORT: {kind:?}: {what}: {found}, at the most {most:.3}");
        }
        println!("{} of {} targets of {of} are reached", all.len() - short.len(), all.len());
        missed += short.len();
    }
    for (what, cost) in machine(results) {
        println!("this machine: {what}: {cost:.1} ns");
    }
    missed
}

/// What the machine's parts cost, of which the limits are made.
pub(super) fn machine(results: &Results) -> Vec<(&'static str, f64)> {
    let limit = |name: &str| {
        let group = results.groups.iter().find(|group| group.name == name)?;
        group.time(LIMIT, 1)
    };
    let read_modify_write = limit("register a future").map(|two| two / 2.0);
    let memory = limit("register a closure of 16 B").zip(limit("register a future")).map(|(all, two)| all - two);
    let found = [("a read-modify-write", read_modify_write), ("malloc and free", memory)];
    found.into_iter().filter_map(|(what, cost)| Some((what, cost?))).collect()
}

fn verdicts(results: &Results) -> Vec<Verdict> {
    let wanted = TIMES.iter().filter(|time| time.2.0 != dotnet::SUBJECT || dotnet::is_set_up());
    let times = wanted.map(|&Time(name, n, to, most)| {
        let group = results.groups.iter().find(|group| group.name == name);
        let found = group.and_then(|group| group.ratio((OURS, n), to));
        Verdict { kind: Kind::Time, what: format!("{name}, n = {n}, against {}, n = {}", to.0, to.1), found, most }
    });
    let instructions = INSTRUCTIONS.iter().map(|&Instructions(name, n, against, most)| {
        let count = |subject: &str| {
            let is_it = |row: &&Counted| row.group == name && row.subject == subject && row.n == n;
            results.instructions.iter().find(is_it).map(|row| row.each)
        };
        let found = count(OURS).zip(against.map_or(Some(1.0), count)).map(|(ours, base)| ours / base);
        let what =
            format!("{name}, n = {n}, {}", against.map_or("in all".to_owned(), |peer| format!("against {peer}")));
        Verdict { kind: Kind::Instructions, what, found, most }
    });
    let memory = MEMORY.iter().flat_map(|&(what, bytes, allocations)| {
        let of = |subject: &str| results.memory.iter().find(|row| row.what == what && row.subject == subject);
        let (ours, tokio) = (of(OURS), of(TOKIO));
        let most = tokio.map_or(f64::INFINITY, |tokio| tokio.bytes).min(bytes);
        let found = ours.map(|ours| ours.bytes);
        let of_bytes = Verdict { kind: Kind::Memory, what: format!("{what}, bytes"), found, most };
        let found = ours.map(|ours| ours.allocations);
        let what = format!("{what}, allocations");
        [of_bytes, Verdict { kind: Kind::Memory, what, found, most: allocations }]
    });
    times.chain(instructions).chain(memory).collect()
}
