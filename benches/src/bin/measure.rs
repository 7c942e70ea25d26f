//! Measures what `cargo xtask bench` asks for, in a process of its own.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use rescind_benches::crowd::{FIGURES, OtherWork, THREADS, turn};
use rescind_benches::group::callgrind_mark;
use rescind_benches::{Group, Row, crowds, groups};

/// Elements that are handled under callgrind: the difference of the two counts is what they cost.
const COUNTS: [u64; 2] = [2_000, 6_000];

/// Rows with more than this are not counted: they show what memory costs, not what the code does.
const MOST: u64 = 1_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["instructions", filter] => instructions(filter),
        ["times", filter] => {
            times(filter);
            times_of_crowds(filter);
        }
        _ => {
            eprintln!("usage: measure instructions|times FILTER");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Does each row's operation twice, with a mark before each, and prints a line for each row: the group, the subject,
/// `n`, and by how many elements the second count is larger.
fn instructions(filter: &str) {
    for group in groups(filter).filter(|group| !group.contended) {
        for Row { subject, n, elements, mut measure } in group.rows.into_iter().filter(|row| row.n <= MOST) {
            let times = COUNTS.map(|count| count / elements);
            for times in times {
                callgrind_mark();
                measure(times);
            }
            println!("{}\t{subject}\t{n}\t{}", group.name, (times[1] - times[0]) * elements);
        }
    }
    callgrind_mark();
}

/// Rounds in which each row of a group has its turn, or fewer if they take too long.
const ROUNDS: usize = 15;
const LEAST_ROUNDS: usize = 3;
const GROUP_TIME: Duration = Duration::from_millis(1_500);

/// What a row's turn should take, without and with what is not timed.
const TURN: Duration = Duration::from_millis(1);
const WHOLE_TURN: Duration = Duration::from_millis(10);

/// How often a measurement that was void is repeated.
const TRIES: usize = 100;

/// Measures the groups in rounds, and prints a line of JSON for each: its rows, and the nanoseconds that each row's
/// element took in each round.
fn times(filter: &str) {
    for Group { name, mut rows, .. } in groups(filter) {
        let counts: Vec<u64> = rows.iter_mut().map(calibrated).collect();
        let start = Instant::now();
        let mut rounds: Vec<Vec<Option<f64>>> = Vec::new();
        while rounds.len() < LEAST_ROUNDS || rounds.len() < ROUNDS && start.elapsed() < GROUP_TIME {
            let mut round = vec![None; rows.len()];
            // Each round begins with another row, so that none always follows the same.
            for turn in 0..rows.len() {
                let index = (turn + rounds.len()) % rows.len();
                round[index] = nanoseconds(&mut rows[index], counts[index]);
            }
            rounds.push(round);
        }
        let rows: Vec<_> = rows.iter().map(|row| serde_json::json!({ "subject": row.subject, "n": row.n })).collect();
        println!("{}", serde_json::json!({ "group": name, "rows": rows, "rounds": rounds }));
    }
}

/// Rounds of a crowd, whose turns are long.
const CROWD_ROUNDS: usize = 3;

/// As [`times`], for crowds: a row for each number of threads, and a line for each figure.
fn times_of_crowds(filter: &str) {
    let work = OtherWork::calibrated();
    for crowd in crowds() {
        let names = crowd.groups();
        if !names.iter().any(|name| name.contains(filter)) {
            continue;
        }
        let rows: Vec<_> = THREADS.iter().flat_map(|&n| crowd.rows.iter().map(move |row| (n, row))).collect();
        let mut rounds = vec![vec![[0.0; FIGURES.len()]; rows.len()]; CROWD_ROUNDS];
        for (number, round) in rounds.iter_mut().enumerate() {
            for index in (0..rows.len()).map(|turn| (turn + number) % rows.len()) {
                let (n, (_, operation)) = rows[index];
                round[index] = turn(n, operation, work);
            }
        }
        let described = rows.iter().map(|(n, (subject, _))| serde_json::json!({ "subject": subject, "n": n }));
        let described: Vec<_> = described.collect();
        for (figure, name) in names.iter().enumerate().filter(|(_, name)| name.contains(filter)) {
            let of = |round: &Vec<[f64; 4]>| round.iter().map(|figures| figures[figure]).collect::<Vec<_>>();
            let rounds: Vec<_> = rounds.iter().map(of).collect();
            println!("{}", serde_json::json!({ "group": name, "rows": described, "rounds": rounds }));
        }
    }
}

/// How many operations take a row's turn. The first makes what the row needs.
fn calibrated(row: &mut Row) -> u64 {
    let mut count = 1;
    (row.measure)(count);
    loop {
        let start = Instant::now();
        let time = (row.measure)(count);
        if time.is_some_and(|time| time >= TURN) || start.elapsed() >= WHOLE_TURN {
            return count;
        }
        count *= 2;
    }
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 operations")]
fn nanoseconds(row: &mut Row, count: u64) -> Option<f64> {
    let time = (0..TRIES).find_map(|_| (row.measure)(count))?;
    Some(time.as_secs_f64() * 1e9 / (count * row.elements) as f64)
}
