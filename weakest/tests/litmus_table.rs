//! The reference enumerator agrees with every row of the litmus table: verdicts, outcome sets and races.

use std::collections::BTreeSet;

use serde_json::Value;
use weakest::graph::reference::{Model, Outcome, candidates_at_most, enumerate};
use weakest::graph::row::Row;

const TABLE: &str = include_str!("litmus/verdicts.jsonl");

/// The rows where C++20's release sequences and C++11's, which the table's `rc11` has, differ.
const CPP20_ROWS: [&str; 3] =
    ["RelSeq+same-store+rel-rlx-acq", "RelSeq+same-store-rmw+rel-rlx-rlx-acq", "tok.dispose-zero-next+rel-rlx-acq"];

struct Expected {
    row: Row,
    json: Value,
}

fn table() -> Vec<Expected> {
    let parse = |line| Expected {
        row: Row::parse(line).expect("every row of the table is well-formed"),
        json: serde_json::from_str(line).expect("every row of the table is JSON"),
    };
    TABLE.lines().map(parse).collect()
}

impl Expected {
    /// The column that holds what `model` must say.
    fn column(&self, model: Model) -> &'static str {
        if model == Model::Rc11 && CPP20_ROWS.contains(&self.row.name.as_str()) { "cpp20" } else { model.name() }
    }

    fn outcomes(&self, model: Model) -> Option<BTreeSet<Outcome>> {
        let value = self.json["outcomes"].get(self.column(model))?;
        Some(serde_json::from_value(value.clone()).expect("outcomes are lists of integers and nulls"))
    }

    fn race(&self) -> bool {
        self.json["race"].get(self.column(Model::Rc11)).is_some_and(|race| race == true)
    }
}

#[test]
fn verdicts_outcomes_and_races_agree() {
    let table = table();
    assert_eq!(table.len(), 970);
    for expected in &table {
        let row = &expected.row;
        let models: Vec<Model> = Model::ALL.into_iter().filter(|model| model.applies_to(&row.program)).collect();
        let result = enumerate(&row.program, &models, |observe| row.holds(observe)).expect("rows are small");
        for allowed in result.allowed {
            assert!(allowed.executions <= candidates_at_most(&row.program), "{}", row.name);
            let (name, column) = (&row.name, expected.column(allowed.model));
            let Some(verdict) = expected.json["verdicts"].get(column) else {
                // Two rows have no `x86tso`: that column could not express additions whose result is not fixed.
                assert_eq!((allowed.model, row.name.contains("add-read")), (Model::X86Tso, true), "{name}");
                continue;
            };
            assert_eq!(verdict == "allowed", allowed.answer, "{name}: verdict of {column}");
            if let Some(outcomes) = expected.outcomes(allowed.model) {
                assert_eq!(outcomes, allowed.outcomes, "{name}: outcomes of {column}");
            }
        }
        assert_eq!(expected.race(), result.race, "{}: race", row.name);
    }
}

/// A model is not missing where the table has it.
#[test]
fn models_apply_where_the_table_says() {
    for expected in table() {
        let verdicts = expected.json["verdicts"].as_object().expect("verdicts are an object");
        for model in Model::ALL {
            let applies = model.applies_to(&expected.row.program);
            assert!(applies || !verdicts.contains_key(model.name()), "{}: {}", expected.row.name, model.name());
        }
    }
}

#[test]
fn malformed_rows_are_refused_with_the_reason() {
    let row = |init: &str, thread: &str| {
        let desc = format!(r#"{{"init":{init},"threads":[[{thread}]],"exists":{{}}}}"#);
        Row::parse(&format!(r#"{{"name":"n","desc":{desc},"vars":[]}}"#)).map(drop).map_err(|e| e.to_string())
    };
    let x = r#"{"x":0}"#;
    assert_eq!(row(x, r#"{"op":"W","loc":"x","ord":"rlx","val":1}"#), Ok(()));
    for (init, thread, reason) in [
        ("{}", r#"{"op":"W","loc":"x","ord":"rlx","val":1}"#, "no initial value"),
        (x, r#"{"op":"W","loc":"x","ord":"acq","val":1}"#, "cannot have the order Acquire"),
        (x, r#"{"op":"R","loc":"x","ord":"rel","reg":"r"}"#, "cannot have the order Release"),
        (x, r#"{"op":"F","ord":"rlx"}"#, "cannot have the order Relaxed"),
        (x, r#"{"op":"R","loc":"x","ord":"rlx"}"#, "without `reg`"),
        (x, r#"{"op":"W","loc":"x","ord":"rlx"}"#, "without `val`"),
        (x, r#"{"op":"R","ord":"rlx","reg":"r"}"#, "without `loc`"),
        (x, r#"{"op":"U","loc":"x","ord":"rlx","val":1,"reg":"r"}"#, "without `kind`"),
        (x, r#"{"op":"U","loc":"x","ord":"rlx","val":1,"reg":"r","kind":"cas","exp":0}"#, "without `ford`"),
        (x, r#"{"op":"W","loc":"x","ord":"rlx","val":1,"if":["r",0]}"#, "not assigned earlier"),
        (x, r#"{"op":"W","loc":"x","ord":"seq","val":1}"#, "unknown variant"),
        (x, r#"{"op":"W","loc":"x","ord":"rlx","val":1,"weak":true}"#, "unknown field `weak`"),
        (r#"{"x":0,"x":1}"#, r#"{"op":"W","loc":"x","ord":"rlx","val":1}"#, "`x` stands twice"),
    ] {
        let error = row(init, thread).expect_err("the row is malformed");
        assert!(error.contains(reason), "{error} should mention: {reason}");
    }
}
