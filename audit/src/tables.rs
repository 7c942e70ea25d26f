//! Tables for people.

use comfy_table::{ContentArrangement, Table, presets};
use weakest::model::{Baseline, Claim, Explorer, Trial, Verdict, name_of};
use weakest::{Dotnet, DotnetKind, Row};

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.to_vec());
    table
}

/// A scenario's bound, as it is shown everywhere.
pub(crate) fn bound(preemptions: Option<usize>) -> String {
    preemptions.map_or_else(|| "unbounded".to_owned(), |n| format!("bounded: {n} preemptions"))
}

/// What came of a scenario. One that passes within bounds, or with something taken for granted, is never a plain pass.
fn result(b: &Baseline) -> String {
    let passes = if b.notes.iter().any(|note| note.starts_with("bounded")) {
        "passes, bounded: see the notes"
    } else if b.notes.is_empty() {
        "passes"
    } else {
        "passes: see the notes"
    };
    match (b.faults.is_empty(), b.exhausted.is_some(), b.evidence) {
        (false, ..) => "FAILS".to_owned(),
        (true, true, _) => "exhausted".to_owned(),
        (true, false, false) => format!("{passes} (no evidence under {})", b.explorer),
        (true, false, true) => passes.to_owned(),
    }
}

pub(crate) fn baselines(baselines: &[Baseline]) -> Table {
    let mut table = table(&["scenario", "explorer", "bound", "executions", "given up", "result"]);
    for b in baselines {
        table.add_row([
            b.scenario.clone(),
            b.explorer.name().to_owned(),
            bound(b.preemptions),
            b.executions.to_string(),
            b.abandoned.to_string(),
            result(b),
        ]);
    }
    table
}

pub(crate) fn trials(trials: &[Trial]) -> Table {
    let mut table = table(&["site", "weakened", "verdict", "explorer", "by", "rule", "executions", "message"]);
    for trial in trials {
        let line = trial.line();
        let verdict = match line.verdict {
            Verdict::Killed => "killed",
            Verdict::Survived => "SURVIVED",
            Verdict::Blind => "BLIND",
            Verdict::Exhausted => "EXHAUSTED",
        };
        table.add_row([
            line.site,
            format!("{} → {}", line.from, line.to),
            verdict.to_owned(),
            line.explorer.map_or("", Explorer::name).to_owned(),
            line.by.unwrap_or_default(),
            line.rule.unwrap_or_default(),
            line.executions.to_string(),
            line.message,
        ]);
    }
    table
}

pub(crate) fn rows(rows: &[Row]) -> Table {
    let mut table = table(&["site", "operation", "ordering", ".NET", "serves", "because"]);
    for row in rows {
        let dotnet = match row.dotnet {
            Dotnet::Step { kind: DotnetKind::Plain, .. } => "plain",
            Dotnet::Step { kind: DotnetKind::Volatile, .. } => "volatile",
            Dotnet::Step { kind: DotnetKind::Interlocked, .. } => "interlocked",
            Dotnet::Absent(_) => "none",
            Dotnet::NotCompared => "",
        };
        let ordering = name_of(Some(row.ordering));
        let op = format!("{:?}", row.op);
        table.add_row([row.name, &op, ordering, dotnet, &row.serves.join(" "), row.because]);
    }
    table
}

pub(crate) fn claims<'a>(claims: impl Iterator<Item = &'a Claim>) -> Table {
    let mut table = table(&["scenario", "threads", "loom", "rules", "kills", "about"]);
    for claim in claims {
        let kills: Vec<_> = claim.kills.iter().map(|kill| format!("{} → {}", kill.site, kill.to)).collect();
        table.add_row([
            claim.name,
            &if claim.threads == 0 { String::new() } else { claim.threads.to_string() },
            &bound(claim.loom_preemptions),
            &claim.rules.join(" "),
            &kills.join(", "),
            claim.about,
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use weakest::model::{Baseline, Explorer, Limit};

    use super::result;

    #[test]
    fn what_is_bounded_or_noted_is_no_plain_pass() {
        let plain = Baseline {
            subject: "s".to_owned(),
            scenario: "a_vs_b".to_owned(),
            explorer: Explorer::Graph,
            preemptions: None,
            executions: 1,
            abandoned: 0,
            outcomes: BTreeSet::new(),
            evidence: true,
            exhausted: None,
            faults: Vec::new(),
            trace: String::new(),
            schedule: String::new(),
            notes: BTreeSet::new(),
        };
        let with = |note: &str| Baseline { notes: BTreeSet::from([note.to_owned()]), ..plain.clone() };
        assert_eq!(result(&plain), "passes");
        assert_eq!(result(&with("SC mixed with weaker accesses")), "passes: see the notes");
        assert_eq!(result(&with("bounded: a loop")), "passes, bounded: see the notes");
        let exhausted = Baseline { exhausted: Some(Limit::Executions(1)), ..with("bounded: a loop") };
        assert_eq!(result(&exhausted), "exhausted");
        // In the record of an audit, too; one without notes is as it was.
        let [noted, silent] = [with("x"), plain].map(|b| serde_json::to_string(&b).expect("plain data"));
        assert!(noted.contains("\"notes\":[\"x\"]") && !silent.contains("notes"), "{noted} {silent}");
    }
}
