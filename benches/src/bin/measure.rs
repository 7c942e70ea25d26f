//! Measures what `cargo xtask bench` asks for, in a process of its own.

use std::process::ExitCode;

use rescind_benches::group::callgrind_mark;
use rescind_benches::{Row, groups};

/// Elements that are handled under callgrind: the difference of the two counts is what they cost.
const COUNTS: [u64; 2] = [2_000, 6_000];

/// Rows with more than this are not counted: they show what memory costs, not what the code does.
const MOST: u64 = 1_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["instructions"] => instructions(""),
        ["instructions", filter] => instructions(filter),
        _ => {
            eprintln!("usage: measure instructions [FILTER]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Does each row's operation twice, with a mark before each, and prints a line for each row: the group, the subject,
/// `n`, and by how many elements the second count is larger.
fn instructions(filter: &str) {
    for group in groups(filter) {
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
