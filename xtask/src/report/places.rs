//! Where in the token's source each site stands.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{ExprPath, ImplItemFn, ItemFn, ItemImpl, Macro, TraitItemFn, Type};

use crate::tidy::{self, Source};

/// The one access that names a site.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The function, with its type.
    pub(super) function: String,
    /// Path from the workspace's root.
    pub(super) file: String,
    pub(super) line: usize,
    /// What the table's comment says of the site.
    pub(super) about: String,
}

/// The places of the token's sites, by name. `cargo xtask tidy` sees to it that each has one.
pub(super) fn of_the_token() -> Result<BTreeMap<String, Place>, String> {
    let sources = tidy::read(&rescind_models::root())?;
    let mut finder = Finder::default();
    for source in sources.iter().filter(|source| source.is_in("impl/src/") && source.is_rust()) {
        finder.look_into(source)?;
    }
    Ok(finder.found)
}

#[derive(Default)]
struct Finder {
    file: String,
    /// The type whose functions are being read.
    owner: Option<String>,
    function: String,
    found: BTreeMap<String, Place>,
}

impl Finder {
    fn look_into(&mut self, source: &Source) -> Result<(), String> {
        let file = syn::parse_file(&source.text).map_err(|e| format!("{}: {e}", source.path))?;
        self.file.clone_from(&source.path);
        self.visit_file(&file);
        Ok(())
    }

    fn inside(&mut self, name: &syn::Ident, look: impl FnOnce(&mut Self)) {
        let function = self.owner.as_ref().map_or_else(|| name.to_string(), |owner| format!("{owner}::{name}"));
        let outer = std::mem::replace(&mut self.function, function);
        look(self);
        self.function = outer;
    }
}

impl Visit<'_> for Finder {
    fn visit_item_impl(&mut self, item: &ItemImpl) {
        let owner = match &*item.self_ty {
            Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
            _ => None,
        };
        let outer = std::mem::replace(&mut self.owner, owner);
        visit::visit_item_impl(self, item);
        self.owner = outer;
    }

    fn visit_impl_item_fn(&mut self, function: &ImplItemFn) {
        self.inside(&function.sig.ident, |finder| visit::visit_impl_item_fn(finder, function));
    }

    fn visit_trait_item_fn(&mut self, function: &TraitItemFn) {
        self.inside(&function.sig.ident, |finder| visit::visit_trait_item_fn(finder, function));
    }

    fn visit_item_fn(&mut self, function: &ItemFn) {
        self.inside(&function.sig.ident, |finder| visit::visit_item_fn(finder, function));
    }

    fn visit_expr_path(&mut self, path: &ExprPath) {
        let segments: Vec<_> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if let [.., table, site] = &*segments
            && table == "Site"
        {
            let place = self.found.entry(site.clone()).or_default();
            place.function.clone_from(&self.function);
            place.file.clone_from(&self.file);
            place.line = path.span().start().line;
        }
    }

    fn visit_macro(&mut self, mac: &Macro) {
        if mac.path.segments.last().is_some_and(|last| last.ident == "sites") {
            let rows = mac.tokens.clone().into_iter().filter_map(|token| match token {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
                _ => None,
            });
            for (site, about) in rows.flat_map(comments) {
                self.found.entry(site).or_default().about = about;
            }
        }
    }
}

/// The names in a table's body, each with the comment before it.
fn comments(rows: TokenStream) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = Vec::new();
    for token in rows {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                let literal = group.stream().into_iter().last().map(TokenStream::from);
                if let Some(line) = literal.and_then(|literal| syn::parse2::<syn::LitStr>(literal).ok()) {
                    lines.push(line.value().trim().to_owned());
                }
            }
            TokenTree::Ident(name) => found.push((name.to_string(), std::mem::take(&mut lines).join(" "))),
            TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Finder, Source};

    #[test]
    fn a_site_is_found_in_its_function_with_its_comment() {
        let text = "weakest::sites! { pub enum Site for \"x\" {\n/// What it\n/// is for.\nGet { op: Load, } Free { op: Load, } } }\n\
                    impl<P> Word<P> {\n  fn get(&self) {\n    self.0.load(Site::Get)\n  }\n}\nfn free() { a.load(Site::Free) }";
        let mut finder = Finder::default();
        let source = Source { path: "impl/src/word.rs".to_owned(), text: text.to_owned() };
        finder.look_into(&source).expect("it parses");
        let get = &finder.found["Get"];
        assert_eq!(
            (&*get.function, &*get.file, get.line, &*get.about),
            ("Word::get", "impl/src/word.rs", 7, "What it is for.")
        );
        assert_eq!(finder.found["Free"].function, "free");
    }
}
