//! Each dialect as a subject of the audit.

use std::path::Path;

use weakest::Site;
use weakest::graph::Graph;
use weakest::model::{Rules, Subject, Suite};
use weakest_audit::Program;

use crate::dialect::{Dialect, On, Table, for_each_dialect};
use crate::scenarios;

/// What the scenarios call the rules that the explorer checks by itself.
pub const RULES: Rules = Rules { race: "LIST", lifetime: "R15" };

/// A dialect, and what puts it on trial.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What it is called.
    pub name: &'static str,
    /// What it stands for.
    pub about: &'static str,
    /// Its orderings, by step.
    pub table: Table,
    /// The scenarios, under the graph explorer.
    pub subject: Subject,
}

impl Trial {
    /// The dialect `D` on trial.
    #[must_use]
    pub fn of<D: Dialect>() -> Self {
        let suite = Suite::of::<Graph>(scenarios::entries::<Graph, D>());
        let subject = Subject { name: On::<D>::SUBJECT, ..Subject::of::<On<D>>(vec![suite]) }.naming(RULES);
        Self { name: D::NAME, about: D::ABOUT, table: D::TABLE, subject }
    }

    /// The scenarios, under the graph explorer.
    #[must_use]
    pub fn suite(&self) -> &Suite {
        &self.subject.suites[0]
    }

    /// The audit of the dialect.
    #[must_use]
    pub fn program(self) -> Program {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/audit");
        let record = target.join(format!("protocol-{}/verdicts.json", self.name));
        let pins = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("expected/{}.txt", self.name));
        Program { record, pins, ..Program::new(self.subject) }
    }
}

/// Every dialect on trial.
#[must_use]
pub fn all() -> Vec<Trial> {
    macro_rules! trials {
        ($($Dialect:ident,)+) => { vec![$(Trial::of::<crate::dialect::$Dialect>()),+] };
    }
    for_each_dialect!(trials)
}
