//! One row, one access: each site of an ordering table is named at exactly one access expression.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, TokenTree};
use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ExprMethodCall, ExprStruct, FnArg, GenericParam, Path, Signature, WherePredicate};

use super::tokens::mentions;
use super::{Faults, Source};

/// Operations of the facade that take sites.
const ACCESSES: &[&str] = &[
    "load",
    "store",
    "swap",
    "compare_exchange",
    "compare_exchange_weak",
    "wait_until",
    "wait_replace",
    "fetch_add",
    "fetch_sub",
    "fetch_or",
    "fetch_and",
    "fetch_xor",
    "fetch_nand",
    "fetch_not",
    "fetch_max",
    "fetch_min",
    "fetch_byte_add",
    "fetch_byte_sub",
    "fetch_update",
];

/// An ordering table found in the sources.
#[derive(Debug, PartialEq, Eq)]
struct Declared {
    /// Name of the enum.
    name: String,
    /// Its sites.
    sites: Vec<String>,
}

/// Each site is named once, and there it is an argument of an access.
pub(super) fn one_access_each(sources: &[&Source]) -> Faults {
    let mut tables = Tables::default();
    let mut accesses = Accesses::default();
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources {
        let file = match syn::parse_file(&source.text) {
            Ok(file) => file,
            Err(e) => return vec![format!("{}: {e}", source.path)],
        };
        tables.visit_file(&file);
        accesses.visit_file(&file);
        for mention in mentions(&source.text).unwrap_or_default() {
            if let [.., table, site] = &*mention.path {
                named.entry(format!("{table}::{site}")).or_default().push(format!("{}:{}", source.path, mention.line));
            }
        }
    }
    let mut faults = Faults::new();
    if tables.found.is_empty() {
        faults.push("there is no ordering table".to_owned());
    }
    for table in &tables.found {
        for site in &table.sites {
            let site = format!("{}::{site}", table.name);
            let places = named.get(&site).map(Vec::as_slice).unwrap_or_default();
            let used = accesses.found.iter().filter(|access| **access == site).count();
            match (places, used) {
                ([], _) => faults.push(format!("{site} is named at no access")),
                ([_], 1) => {}
                ([place], _) => faults.push(format!("{place}: {site} is named, and not as the site of an access")),
                (places, _) => {
                    faults.push(format!("{site} is named at {} places, not one: {}", places.len(), places.join(", ")));
                }
            }
        }
    }
    faults
}

/// Finds `sites!` tables.
#[derive(Default)]
struct Tables {
    found: Vec<Declared>,
}

impl Visit<'_> for Tables {
    fn visit_macro(&mut self, mac: &syn::Macro) {
        if mac.path.segments.last().is_some_and(|last| last.ident == "sites") {
            let tokens: Vec<_> = mac.tokens.clone().into_iter().collect();
            let after_enum = tokens.iter().position(|t| t.to_string() == "enum").and_then(|at| tokens.get(at + 1));
            let rows = tokens.iter().rev().find_map(|token| match token {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
                _ => None,
            });
            if let (Some(name), Some(rows)) = (after_enum, rows) {
                let idents = rows.into_iter().filter_map(|token| match token {
                    TokenTree::Ident(ident) => Some(ident.to_string()),
                    _ => None,
                });
                self.found.push(Declared { name: name.to_string(), sites: idents.collect() });
            }
        }
    }
}

/// Finds the sites that accesses are given.
#[derive(Default)]
struct Accesses {
    found: Vec<String>,
}

impl Accesses {
    fn take(&mut self, expression: &Expr) {
        if let Expr::Path(path) = expression {
            let segments: Vec<_> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            if let [.., table, site] = &*segments {
                self.found.push(format!("{table}::{site}"));
            }
        }
    }
}

impl Visit<'_> for Accesses {
    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        if ACCESSES.contains(&&*call.method.to_string()) {
            call.args.iter().for_each(|argument| self.take(argument));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &ExprCall) {
        if let Expr::Path(function) = &*call.func
            && function.path.segments.last().is_some_and(|last| last.ident == "fence")
        {
            call.args.iter().for_each(|argument| self.take(argument));
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_struct(&mut self, literal: &ExprStruct) {
        if literal.path.segments.last().is_some_and(|last| last.ident == "WaitSites") {
            literal.fields.iter().for_each(|field| self.take(&field.expr));
        }
        visit::visit_expr_struct(self, literal);
    }
}

/// No function takes a site or a set of them: whoever reads an access sees which row it has.
pub(super) fn no_site_in_signatures(source: &Source) -> Faults {
    match syn::parse_file(&source.text) {
        Ok(file) => {
            let mut signatures = Signatures { path: &source.path, faults: Faults::new() };
            signatures.visit_file(&file);
            signatures.faults
        }
        Err(e) => vec![format!("{}: {e}", source.path)],
    }
}

struct Signatures<'a> {
    path: &'a str,
    faults: Faults,
}

impl<'ast> Visit<'ast> for Signatures<'_> {
    fn visit_signature(&mut self, signature: &'ast Signature) {
        let mut names = Names::default();
        for input in &signature.inputs {
            if let FnArg::Typed(argument) = input {
                names.visit_type(&argument.ty);
            }
        }
        for parameter in &signature.generics.params {
            if let GenericParam::Type(parameter) = parameter {
                names.visit_type_param(parameter);
            }
        }
        for predicate in signature.generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
            if let WherePredicate::Type(predicate) = predicate {
                names.visit_predicate_type(predicate);
            }
        }
        if names.site {
            let line = signature.ident.span().start().line;
            self.faults.push(format!("{}:{line}: `{}` takes a site", self.path, signature.ident));
        }
        visit::visit_signature(self, signature);
    }
}

/// Whether a type or a bound names a site.
#[derive(Default)]
struct Names {
    site: bool,
}

impl Visit<'_> for Names {
    fn visit_path(&mut self, path: &Path) {
        let last = path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        self.site |= matches!(&*last, "Site" | "WaitSites");
        visit::visit_path(self, path);
    }
}

#[cfg(test)]
mod tests {
    use super::super::rust;
    use super::{no_site_in_signatures, one_access_each};

    const TABLE: &str = "sites! { pub enum Site for \"x\" { Get { op: Load } Fence { op: Fence } } }";

    fn faults(code: &str) -> Vec<String> {
        one_access_each(&[&rust("impl/src/sites.rs", TABLE), &rust("impl/src/x.rs", code)])
    }

    #[test]
    fn each_site_has_one_access() {
        assert_eq!(faults("fn f() { a.load(Site::Get); P::fence(Site::Fence); }"), [""; 0]);
        let waits = "fn f() { let s = WaitSites { success: Site::Get, failure: Site::Fence }; }";
        assert_eq!(faults(waits), [""; 0]);
    }

    #[test]
    fn a_site_that_is_not_used_or_used_twice_or_passed_on_is_refused() {
        assert_eq!(faults("fn f() { a.load(Site::Get); }"), ["Site::Fence is named at no access"]);
        let twice = faults("fn f() { a.load(Site::Get);\nb.load(Site::Get); P::fence(Site::Fence); }");
        assert_eq!(twice, ["Site::Get is named at 2 places, not one: impl/src/x.rs:1, impl/src/x.rs:2"]);
        let hidden = faults("fn f() { a.load(Site::Get); assert!(b.load(Site::Get)); P::fence(Site::Fence); }");
        assert_eq!(hidden.len(), 1, "{hidden:?}");
        let passed_on = faults("fn f() { let site = Site::Get; a.load(site); P::fence(Site::Fence); }");
        assert_eq!(passed_on, ["impl/src/x.rs:1: Site::Get is named, and not as the site of an access"]);
    }

    #[test]
    fn a_function_that_takes_a_site_is_refused() {
        for code in [
            "fn f(site: Site) {}",
            "fn f<S: weakest::Site>(s: S) {}",
            "fn f<S>(s: S) where S: Site {}",
            "fn f(s: impl Site) {}",
            "impl T { fn f(&self, s: &WaitSites<X>) {} }",
        ] {
            assert_eq!(no_site_in_signatures(&rust("impl/src/x.rs", code)).len(), 1, "{code}");
        }
        assert_eq!(no_site_in_signatures(&rust("impl/src/x.rs", "fn f(m: Mutant) { g::<Site>(); }")), [""; 0]);
    }
}
