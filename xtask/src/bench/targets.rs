//! What the token must reach, and `--gate`, which says where it does not.

use super::{LIMIT, OURS, Results, dotnet};

const TOKIO: &str = "tokio-util";
const STD: &str = "std::stop_token";

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

/// The token's instructions in a group: at most so many more than the limit's, or than none.
const INSTRUCTIONS: &[(&str, Option<&str>, f64)] =
    &[("poll", Some(LIMIT), 1.0), ("register on the stack", None, 60.0), ("register a future", None, 90.0)];

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

/// A target, what was found, and how much it may be at the most.
#[derive(Debug)]
struct Verdict {
    what: String,
    found: Option<f64>,
    most: f64,
}

/// Prints every target that is not reached or was not measured; how many there are.
pub(super) fn gate(results: &Results) -> usize {
    let verdicts = verdicts(results);
    let short = |verdict: &&Verdict| verdict.found.is_none_or(|found| found > verdict.most);
    let missed: Vec<_> = verdicts.iter().filter(short).collect();
    for Verdict { what, found, most } in &missed {
        let found = found.map_or("not measured".to_owned(), |found| format!("{found:.3}"));
        println!("SHORT: {what}: {found}, at the most {most:.3}");
    }
    println!("{} of {} targets are reached", verdicts.len() - missed.len(), verdicts.len());
    missed.len()
}

fn verdicts(results: &Results) -> Vec<Verdict> {
    let wanted = TIMES.iter().filter(|time| time.2.0 != dotnet::SUBJECT || dotnet::is_set_up());
    let times = wanted.map(|&Time(name, n, to, most)| {
        let group = results.groups.iter().find(|group| group.name == name);
        let found = group.and_then(|group| group.ratio((OURS, n), to));
        Verdict { what: format!("{name}, n = {n}, against {}, n = {}", to.0, to.1), found, most }
    });
    let instructions = INSTRUCTIONS.iter().map(|&(name, base, most)| {
        let count = |subject: &str| {
            let row = results.instructions.iter().find(|row| row.group == name && row.subject == subject);
            row.map(|row| row.each)
        };
        let base = base.map_or(Some(0.0), count);
        let found = count(OURS).zip(base).map(|(ours, base)| ours - base);
        Verdict { what: format!("{name}, instructions above {}", if most < 2.0 { LIMIT } else { "none" }), found, most }
    });
    let memory = MEMORY.iter().flat_map(|&(what, bytes, allocations)| {
        let of = |subject: &str| results.memory.iter().find(|row| row.what == what && row.subject == subject);
        let (ours, tokio) = (of(OURS), of(TOKIO));
        let most = tokio.map_or(f64::INFINITY, |tokio| tokio.bytes).min(bytes);
        let found = ours.map(|ours| ours.bytes);
        let of_bytes = Verdict { what: format!("{what}, bytes"), found, most };
        let found = ours.map(|ours| ours.allocations);
        [of_bytes, Verdict { what: format!("{what}, allocations"), found, most: allocations }]
    });
    times.chain(instructions).chain(memory).collect()
}
