//! Paths in a file's tokens: what `a::b::c` stands for wherever it is written, macros included.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{ItemUse, UseTree};

/// A path as written, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

impl Mention {
    pub(super) fn joined(&self) -> String {
        self.path.join("::")
    }
}

/// Every path in `text`, with imports resolved: after `use std::thread`, `thread::park` is `std::thread::park`. The
/// imports themselves are mentions too.
pub(super) fn resolved(text: &str) -> Result<Vec<Mention>, String> {
    let file = syn::parse_file(text).map_err(|e| e.to_string())?;
    let mut imports = Imports::default();
    imports.visit_file(&file);
    let mut found = imports.mentions;
    for mention in mentions(text)? {
        let known = mention.path.first().and_then(|first| imports.names.get(first));
        let path = match known {
            Some(full) if *full != mention.path => full.iter().chain(&mention.path[1..]).cloned().collect(),
            _ => mention.path,
        };
        found.push(Mention { path, line: mention.line });
    }
    Ok(found)
}

/// Every path in `text` as written.
pub(super) fn mentions(text: &str) -> Result<Vec<Mention>, String> {
    let stream: TokenStream = text.parse().map_err(|e: proc_macro2::LexError| e.to_string())?;
    let mut found = Vec::new();
    collect(stream, &mut found);
    Ok(found)
}

fn collect(stream: TokenStream, found: &mut Vec<Mention>) {
    let tokens: Vec<_> = stream.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Ident(ident) => {
                let mut path = vec![ident.to_string()];
                while let [TokenTree::Punct(a), TokenTree::Punct(b), TokenTree::Ident(next), ..] = &tokens[at + 1..]
                    && a.as_char() == ':'
                    && b.as_char() == ':'
                {
                    path.push(next.to_string());
                    at += 3;
                }
                found.push(Mention { path, line: ident.span().start().line });
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        at += 1;
    }
}

/// What a file imports.
#[derive(Default)]
struct Imports {
    names: BTreeMap<String, Vec<String>>,
    mentions: Vec<Mention>,
}

impl Imports {
    fn tree(&mut self, prefix: &[String], tree: &UseTree) {
        let with = |name: &syn::Ident| prefix.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        match tree {
            UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            UseTree::Name(name) if name.ident == "self" => self.import(prefix.to_vec(), &name.ident, None),
            UseTree::Name(name) => self.import(with(&name.ident), &name.ident, None),
            UseTree::Rename(rename) => self.import(with(&rename.ident), &rename.ident, Some(&rename.rename)),
            UseTree::Glob(_) => {
                let mut path = prefix.to_vec();
                path.push("*".to_owned());
                self.mentions.push(Mention { path, line: 0 });
            }
            UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(prefix, item)),
        }
    }

    fn import(&mut self, path: Vec<String>, ident: &syn::Ident, alias: Option<&syn::Ident>) {
        let last = path.last().cloned().unwrap_or_default();
        let name = alias.map_or(last, ToString::to_string);
        self.mentions.push(Mention { path: path.clone(), line: ident.span().start().line });
        self.names.insert(name, path);
    }
}

impl Visit<'_> for Imports {
    fn visit_item_use(&mut self, item: &ItemUse) {
        self.tree(&[], &item.tree);
        visit::visit_item_use(self, item);
    }
}
