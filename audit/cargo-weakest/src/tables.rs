//! Tables for people.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use weakest::model::name_of;
use weakest::model::spot::name_of_op;

use crate::rows::{Judgement, Row};
use crate::test;

/// Characters of a line of code that are shown.
const CODE: usize = 60;

pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.to_vec());
    table
}

pub(crate) fn tests(rows: &[test::Row]) -> Table {
    let mut table = table(&["test", "executions", "blocked", "bounded", "seconds", "verdict"]);
    for column in table.column_iter_mut().skip(1).take(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let is_one_target = rows.iter().all(|row| row.target == rows[0].target);
    for row in rows {
        let name = if is_one_target { row.test.clone() } else { format!("{}: {}", row.target, row.test) };
        table.add_row([
            name,
            row.executions.to_string(),
            row.blocked.to_string(),
            row.bounded.to_string(),
            format!("{:.2}", row.seconds),
            row.verdict.name().to_owned(),
        ]);
    }
    table
}

/// A line of code as far as it is shown.
pub(crate) fn code(line: &str) -> String {
    match line.char_indices().nth(CODE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// Whether an ordering is needed, and why.
pub(crate) fn judgement(row: &Row) -> String {
    let (to, by) = (name_of(row.change.to), row.by.as_deref().unwrap_or_default());
    match row.judgement {
        Judgement::Needed => {
            let replay = row.replay.as_ref().map(|id| format!(" (replay {id})")).unwrap_or_default();
            format!("needed: with {to}, {by} fails: {}{replay}", row.message)
        }
        Judgement::TooStrong => {
            let (executions, tests) = (row.executions, row.tests);
            format!("too strong or untested: {to} passes ({executions} executions of {tests} tests come by)")
        }
        Judgement::NotKnown => format!("not known: with {to}, {by} is not finished: {}", row.message),
    }
}

pub(crate) fn audit<'a>(rows: impl Iterator<Item = &'a Row>) -> Table {
    let mut table = table(&["place", "code", "operation", "ordering", "verdict"]);
    for row in rows {
        let spot = &row.change.spot;
        table.add_row([
            format!("{}:{}:{}", spot.file, spot.line, spot.column),
            code(&row.code),
            name_of_op(spot.op).to_owned(),
            name_of(Some(spot.ordering)).to_owned(),
            judgement(row),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn a_long_line_is_cut_between_characters() {
        assert_eq!(code("é"), "é");
        assert_eq!(code(&"é".repeat(61)), format!("{}…", "é".repeat(60)));
    }
}
