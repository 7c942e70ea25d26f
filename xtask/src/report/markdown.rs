//! Markdown whose lines a person can read as they are.

use std::fmt::Write;

use textwrap::{Options, WordSeparator, WordSplitter, fill};

/// Prose is filled to this width.
const WIDTH: usize = 120;

/// No line of the report is longer, tables included, in characters.
const LONGEST: usize = 200;

/// A table.
pub(super) struct Table(String);

impl Table {
    pub(super) fn new(header: &[&str]) -> Self {
        let mut table = Self(String::new());
        table.row(header);
        table.row(&vec!["---"; header.len()]);
        table
    }

    pub(super) fn row<T: AsRef<str>>(&mut self, cells: &[T]) {
        for cell in cells {
            write!(self.0, "| {} ", cell.as_ref().replace('|', "\\|")).expect("text grows");
        }
        self.0.push_str("|\n");
    }

    pub(super) fn text(self) -> String {
        self.0
    }
}

/// A paragraph.
pub(super) fn paragraph(text: &str) -> String {
    format!("{}\n", fill(text, options()))
}

/// An item of a list.
pub(super) fn item(text: &str) -> String {
    format!("{}\n", fill(text, options().initial_indent("- ").subsequent_indent("  ")))
}

/// Words are broken nowhere: a name, a path or a link stays whole.
fn options() -> Options<'static> {
    Options::new(WIDTH)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
}

pub(super) fn code(name: &str) -> String {
    format!("`{name}`")
}

/// Fails at the first line that is too long to be read.
pub(super) fn readable(text: &str) -> Result<(), String> {
    let long = text.lines().enumerate().find(|(_, line)| line.chars().count() > LONGEST);
    long.map_or(Ok(()), |(at, line)| {
        Err(format!("line {} of the report has {} characters, over {LONGEST}: {line}", at + 1, line.chars().count()))
    })
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, item, readable};

    #[test]
    fn an_item_is_filled_and_its_names_stay_whole() {
        let text = item(&format!("{} [a/name](that/must-stay#whole)", "word ".repeat(18)));
        assert_eq!(text.lines().count(), 2);
        assert!(text.starts_with("- word") && text.contains("\n  [a/name](that/must-stay#whole)"), "{text}");
    }

    #[test]
    fn a_line_that_nobody_reads_is_refused() {
        let line = |characters| "ä".repeat(characters);
        assert_eq!(readable(&line(LONGEST)), Ok(()));
        assert!(readable(&format!("a\n{}", line(LONGEST + 1))).is_err_and(|message| message.contains("line 2")));
    }
}
