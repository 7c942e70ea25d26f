//! The page that tells how to audit a primitive shows what the audit says.

/// A block of the page that shows output.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// The audit's arguments; `None`: a part of what it says with something planted.
    pub(super) arguments: Option<Vec<String>>,
    /// What is shown.
    lines: Vec<String>,
}

impl Shown {
    /// A line that `said` does not have.
    pub(super) fn missing<'a>(&'a self, said: &str) -> Option<&'a str> {
        self.lines.iter().map(String::as_str).find(|line| !said.lines().any(|other| other.trim_end() == *line))
    }
}

/// The blocks of the page that show what the audit of `primitive` says.
pub(super) fn shown(page: &str, primitive: &str) -> Vec<Shown> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some((language, name)) = line.strip_prefix("```").and_then(|info| info.split_once(' ')) else { continue };
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").map(str::trim_end).collect();
        if name != primitive {
            continue;
        }
        let command = block.first().and_then(|line| line.strip_prefix("$ ")).filter(|_| language == "console");
        let arguments = command.map(|line| {
            let arguments = line.split_once(" -- ").map_or("", |(_, arguments)| arguments);
            arguments.split_whitespace().map(str::to_owned).collect()
        });
        let shown = block.iter().skip(usize::from(arguments.is_some())).filter(|line| !line.is_empty());
        found.push(Shown { lines: shown.map(|&line| line.to_owned()).collect(), arguments });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn blocks_are_found_and_compared() {
        let page =
            "```rust file\nx\n```\n```console lock\n$ run -- a b\nsaid\n\nmore\n```\n```text lock\nstrong\n```\n";
        let found = shown(page, "lock");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].arguments.as_deref(), Some(&["a".to_owned(), "b".to_owned()][..]));
        assert_eq!(found[1].arguments, None);
        assert_eq!(found[0].missing("first\nsaid  \nmore"), None);
        assert_eq!(found[0].missing("said more"), Some("said"));
        assert!(shown(page, "other").is_empty());
    }
}
