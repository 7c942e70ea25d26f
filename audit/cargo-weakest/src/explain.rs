//! `cargo weakest audit --explain PLACE`: every ordering at one place, weaker and stronger.

use weakest::model::spot::name_of_op;
use weakest::model::{choices, name_of};
use weakest_audit::exit::{Exit, Failure};

use crate::audit::{Place, judge};
use crate::rows::Judgement;
use crate::test::Session;
use crate::{process, tables};

/// Tries every ordering at the place, which is a file, a line and, if that is not enough, a column.
pub(crate) fn explain(session: &Session, places: &[Place<'_>], place: &str) -> Result<Exit, Failure> {
    let asked = parse(place)?;
    let here: Vec<_> = places.iter().filter(|place| asked.is_at(place)).collect();
    if here.is_empty() {
        return Err(Failure::Usage(unknown(places, &asked, place)));
    }
    let mut exit = Exit::Clean;
    for place in here {
        let spot = &place.spot;
        say!("{}:{}:{} {}", spot.file, spot.line, spot.column, name_of_op(spot.op));
        say!("    {}", place.code);
        say!("    {} executions of {} tests come by", place.executions, place.tests.len());
        let rows = process::map(&choices(spot.op), session.harness.jobs, |&to| judge(session, place, to));
        let mut table = tables::table(&["ordering", "", "result"]);
        for row in rows {
            let row = row.ok_or_else(|| Failure::Io("interrupted".to_owned()))??;
            let as_it_is = if row.change.to == Some(spot.ordering) { "as it is" } else { "" };
            let result = match row.judgement {
                Judgement::TooStrong => "passes".to_owned(),
                Judgement::Needed | Judgement::NotKnown => {
                    let replay = row.replay.map(|id| format!(" (replay {id})")).unwrap_or_default();
                    let (by, message) = (row.by.unwrap_or_default(), row.message);
                    let how = if row.judgement == Judgement::Needed { "FAILS" } else { "not finished" };
                    format!("{how}: {by}: {message}{replay}")
                }
            };
            if row.judgement == Judgement::NotKnown {
                exit = exit.or(Exit::Unfinished);
            }
            table.add_row([name_of(row.change.to).to_owned(), as_it_is.to_owned(), result]);
        }
        say!("{table}\n");
    }
    Ok(exit)
}

/// A place on the command line.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    file: String,
    line: u32,
    column: Option<u32>,
}

impl Asked {
    fn is_at(&self, place: &Place<'_>) -> bool {
        let spot = &place.spot;
        self.is_in(&spot.file) && spot.line == self.line && self.column.is_none_or(|column| column == spot.column)
    }

    /// The end of a path is enough.
    fn is_in(&self, file: &str) -> bool {
        let rest = file.strip_suffix(&*self.file);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(['/', '\\']))
    }
}

fn parse(place: &str) -> Result<Asked, Failure> {
    let wrong = || Failure::Usage(format!("`{place}` is no place: expected FILE:LINE or FILE:LINE:COLUMN"));
    let (rest, last) = place.rsplit_once(':').ok_or_else(wrong)?;
    let last: u32 = last.parse().map_err(|_| wrong())?;
    let inner = rest.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
    Ok(match inner {
        Some((file, line)) => Asked { file: file.to_owned(), line, column: Some(last) },
        None => Asked { file: rest.to_owned(), line: last, column: None },
    })
}

/// That no test comes by such a place, and the nearest that there are.
fn unknown(places: &[Place<'_>], asked: &Asked, place: &str) -> String {
    const SHOWN: usize = 5;
    let mut near: Vec<_> = places.iter().map(|place| &place.spot).filter(|spot| asked.is_in(&spot.file)).collect();
    near.sort_by_key(|spot| spot.line.abs_diff(asked.line));
    let near: Vec<_> = near.into_iter().take(SHOWN).map(|spot| format!("\n  {spot}")).collect();
    let hint = if near.is_empty() { String::new() } else { format!("; near it:{}", near.concat()) };
    format!("no test that passes comes by an ordering at `{place}`{hint}")
}

#[cfg(test)]
mod tests {
    use super::{Asked, parse};

    #[test]
    fn a_place_is_a_file_and_a_line_and_perhaps_a_column() {
        let place = |text| parse(text).ok().map(|Asked { file, line, column }| (file, line, column));
        assert_eq!(place("src/lib.rs:3"), Some(("src/lib.rs".to_owned(), 3, None)));
        assert_eq!(place("src/lib.rs:3:9"), Some(("src/lib.rs".to_owned(), 3, Some(9))));
        for text in ["src/lib.rs", "src/lib.rs:x", ""] {
            assert_eq!(place(text), None, "{text}");
        }
        let asked = parse("lib.rs:3").expect("a place");
        assert!(asked.is_in("a/lib.rs") && asked.is_in("lib.rs") && !asked.is_in("a/mylib.rs"));
    }
}
