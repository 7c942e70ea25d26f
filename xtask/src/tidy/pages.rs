//! What a page shows of a file is in that file: a block whose first line names one.

use super::{Faults, Source};

/// Blocks of the Markdown files that name a source file (as in "rust src/lib.rs"), against those files.
pub(super) fn blocks_are_parts_of_files(sources: &[Source]) -> Faults {
    let pages = sources.iter().filter(|source| source.path.ends_with(".md"));
    pages.flat_map(|page| blocks(&page.text).into_iter().filter_map(|block| fault(page, &block, sources))).collect()
}

struct Block {
    line: usize,
    file: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((line, text)) = lines.next() {
        let file = text.strip_prefix("```").and_then(|info| info.split_once(' ')).map(|(_, file)| file);
        if let Some(file) = file.filter(|file| file.contains('/')) {
            let shown = lines.by_ref().map(|(_, text)| text).take_while(|text| *text != "```");
            let text = shown.flat_map(|line| [line, "\n"]).collect();
            found.push(Block { line: line + 1, file: file.to_owned(), text });
        }
    }
    found
}

fn fault(page: &Source, Block { line, file, text }: &Block, sources: &[Source]) -> Option<String> {
    let place = format!("{}:{line}", page.path);
    match sources.iter().find(|source| source.path == *file) {
        None => Some(format!("{place}: shows {file}, which is not there")),
        Some(source) if source.text.contains(text) && !text.is_empty() => None,
        Some(_) => Some(format!("{place}: shows what {file} does not hold")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rust;
    use super::blocks_are_parts_of_files;

    #[test]
    fn a_block_that_is_not_in_its_file_is_refused() {
        let file = rust("a/b.rs", "fn f() {}\nfn g() {}\n");
        let faults = |page: &str| blocks_are_parts_of_files(&[rust("a/b.rs", &file.text), rust("p.md", page)]);
        assert_eq!(faults("x\n```rust a/b.rs\nfn g() {}\n```\n```text\nelse\n```\n"), [""; 0]);
        assert_eq!(faults("```rust a/b.rs\nfn h() {}\n```\n"), ["p.md:1: shows what a/b.rs does not hold"]);
        assert_eq!(faults("\n```rust a/c.rs\nfn f() {}\n```\n"), ["p.md:2: shows a/c.rs, which is not there"]);
    }
}
