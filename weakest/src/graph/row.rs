//! The rows of a litmus table: one JSON object a line.
//!
//! A row has a `name`, the program (`desc.init`, `desc.threads`), the outcome asked about (`desc.exists`) and the order
//! in which outcomes are written (`vars`). A `shape`, and the answers of others (`verdicts`, `outcomes`, `race`), are not
//! looked at; any other field is an error. Events are
//! `{"op": "R" | "W" | "U" | "F", "ord": "na" | "rlx" | "acq" | "rel" | "acq_rel" | "sc", "loc", "val", "reg", "kind":
//! "xchg" | "add" | "cas", "exp", "ford", "data": reg, "addr": reg, "if": [reg, value]}`.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::program::{Action, Guard, Instruction, Location, MemoryOrder, Observable, Observed, Program, Update};

/// A row, read and checked.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// The program; its observables are the row's `vars`.
    pub program: Program,
    /// The outcome asked about: a conjunction. `None` stands for a compare-exchange that failed.
    pub exists: Vec<(Observable, Option<i64>)>,
}

impl Row {
    /// Reads a row.
    ///
    /// # Errors
    /// What is wrong with it: no JSON, a missing field, a field that no row has, a name that stands for nothing, an order that the operation
    /// cannot have.
    pub fn parse(line: &str) -> Result<Self, Malformed> {
        let raw: RawRow = serde_json::from_str(line).map_err(|error| Malformed(error.to_string()))?;
        raw.resolve()
    }

    /// Whether `observed`, by which an observable is looked up, is the outcome asked about.
    pub fn holds(&self, observed: impl Fn(Observable) -> Observed) -> bool {
        self.exists.iter().all(|&(observable, expected)| match (observed(observable), expected) {
            (Observed::Value(value) | Observed::Failed(value), Some(expected)) => value == expected,
            (Observed::Skipped, Some(expected)) => expected == -1,
            (seen, None) => matches!(seen, Observed::Failed(_)),
        })
    }
}

/// Why a row cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

fn malformed<T>(why: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed(why.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRow {
    name: String,
    desc: RawDescription,
    vars: Vec<String>,
    #[serde(rename = "shape", default)]
    _shape: IgnoredAny,
    #[serde(rename = "verdicts", default)]
    _verdicts: IgnoredAny,
    #[serde(rename = "outcomes", default)]
    _outcomes: IgnoredAny,
    #[serde(rename = "race", default)]
    _race: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDescription {
    #[serde(deserialize_with = "each_name_once")]
    init: BTreeMap<String, i64>,
    threads: Vec<Vec<RawEvent>>,
    #[serde(deserialize_with = "each_name_once")]
    exists: BTreeMap<String, Option<i64>>,
}

/// A map in which no name may stand twice.
fn each_name_once<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<BTreeMap<String, T>, D::Error> {
    struct Names<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Names<T> {
        type Value = BTreeMap<String, T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((name, value)) = entries.next_entry::<String, T>()? {
                if map.contains_key(&name) {
                    return Err(A::Error::custom(format!("`{name}` stands twice")));
                }
                map.insert(name, value);
            }
            Ok(map)
        }
    }
    from.deserialize_map(Names(PhantomData))
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
enum RawOperation {
    #[serde(rename = "R")]
    Read,
    #[serde(rename = "W")]
    Write,
    #[serde(rename = "U")]
    Update,
    #[serde(rename = "F")]
    Fence,
}

#[derive(Deserialize, Clone, Copy)]
enum RawOrder {
    #[serde(rename = "na")]
    NonAtomic,
    #[serde(rename = "rlx")]
    Relaxed,
    #[serde(rename = "acq")]
    Acquire,
    #[serde(rename = "rel")]
    Release,
    #[serde(rename = "acq_rel")]
    AcqRel,
    #[serde(rename = "sc")]
    SeqCst,
}

impl From<RawOrder> for MemoryOrder {
    fn from(raw: RawOrder) -> Self {
        match raw {
            RawOrder::NonAtomic => Self::NonAtomic,
            RawOrder::Relaxed => Self::Relaxed,
            RawOrder::Acquire => Self::Acquire,
            RawOrder::Release => Self::Release,
            RawOrder::AcqRel => Self::AcqRel,
            RawOrder::SeqCst => Self::SeqCst,
        }
    }
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum RawKind {
    Xchg,
    Add,
    Cas,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvent {
    op: RawOperation,
    ord: RawOrder,
    loc: Option<String>,
    val: Option<i64>,
    reg: Option<String>,
    kind: Option<RawKind>,
    exp: Option<i64>,
    ford: Option<RawOrder>,
    data: Option<String>,
    addr: Option<String>,
    #[serde(rename = "if")]
    guard: Option<(String, i64)>,
}

impl RawRow {
    fn resolve(self) -> Result<Row, Malformed> {
        let locations: Vec<_> =
            self.desc.init.iter().map(|(name, &init)| Location { name: name.clone(), init }).collect();
        let mut threads = Vec::new();
        let mut registers = Vec::new();
        for (number, raw) in self.desc.threads.iter().enumerate() {
            let mut scope = Scope { locations: &locations, registers: BTreeMap::new() };
            let mut instructions = Vec::new();
            for (position, event) in raw.iter().enumerate() {
                let instruction = scope
                    .instruction(event, position)
                    .map_err(|Malformed(why)| Malformed(format!("thread {number}, event {position}: {why}")))?;
                instructions.push(instruction);
            }
            threads.push(instructions);
            registers.push(scope.registers);
        }
        let observable = |name: &str| observable(name, &locations, &registers);
        let observables = self.vars.iter().map(|name| observable(name)).collect::<Result<_, _>>()?;
        let mut exists = Vec::new();
        for (name, &value) in &self.desc.exists {
            exists.push((observable(name)?, value));
        }
        Ok(Row { name: self.name, program: Program { locations, threads, observables }, exists })
    }
}

fn find_location(name: &str, locations: &[Location]) -> Result<usize, Malformed> {
    match locations.iter().position(|location| location.name == name) {
        Some(location) => Ok(location),
        None => malformed(format!("`{name}` has no initial value in `init`")),
    }
}

/// `t:reg` is a register, a bare name a location's final value.
fn observable(
    name: &str,
    locations: &[Location],
    registers: &[BTreeMap<String, usize>],
) -> Result<Observable, Malformed> {
    let Some((thread, register)) = name.split_once(':') else {
        return find_location(name, locations).map(Observable::Final);
    };
    let found = thread.parse().ok().and_then(|thread: usize| Some((thread, *registers.get(thread)?.get(register)?)));
    match found {
        Some((thread, read)) => Ok(Observable::Register { thread, read }),
        None => malformed(format!("`{name}` names no register of any thread")),
    }
}

/// What the names in one thread stand for so far.
struct Scope<'a> {
    locations: &'a [Location],
    registers: BTreeMap<String, usize>,
}

impl Scope<'_> {
    fn instruction(&mut self, event: &RawEvent, position: usize) -> Result<Instruction, Malformed> {
        let action = self.action(event)?;
        let guard = match &event.guard {
            Some((register, value)) => Some(Guard { read: self.register(register)?, value: *value }),
            None => None,
        };
        let data = event.data.as_deref().map(|name| self.register(name)).transpose()?;
        let address = event.addr.as_deref().map(|name| self.register(name)).transpose()?;
        match (&event.reg, action.reads()) {
            (Some(register), true) => {
                if self.registers.insert(register.clone(), position).is_some() {
                    return malformed(format!("register `{register}` is assigned twice"));
                }
            }
            (None, true) => return malformed("a read without `reg`"),
            (Some(_), false) => return malformed("`reg` on an event that reads nothing"),
            (None, false) => {}
        }
        Ok(Instruction { action, guard, until: None, data, address })
    }

    fn register(&self, name: &str) -> Result<usize, Malformed> {
        match self.registers.get(name) {
            Some(&read) => Ok(read),
            None => malformed(format!("register `{name}` is not assigned earlier in the thread")),
        }
    }

    fn action(&self, event: &RawEvent) -> Result<Action, Malformed> {
        use MemoryOrder::{AcqRel, Acquire, NonAtomic, Relaxed, Release, SeqCst};
        let order = MemoryOrder::from(event.ord);
        let legal = match event.op {
            RawOperation::Read => matches!(order, NonAtomic | Relaxed | Acquire | SeqCst),
            RawOperation::Write => matches!(order, NonAtomic | Relaxed | Release | SeqCst),
            RawOperation::Update => order != NonAtomic,
            RawOperation::Fence => matches!(order, Acquire | Release | AcqRel | SeqCst),
        };
        if !legal {
            return malformed(format!("the operation cannot have the order {order:?}"));
        }
        if event.op == RawOperation::Fence {
            return Ok(Action::Fence { order });
        }
        let Some(name) = &event.loc else { return malformed("an access without `loc`") };
        let location = find_location(name, self.locations)?;
        if event.op == RawOperation::Read {
            return Ok(Action::Read { location, order });
        }
        let Some(value) = event.val else { return malformed("a write without `val`") };
        if event.op == RawOperation::Write {
            return Ok(Action::Write { location, order, value });
        }
        Ok(Action::ReadModifyWrite { location, order, update: update(event, value)? })
    }
}

fn update(event: &RawEvent, value: i64) -> Result<Update, Malformed> {
    match event.kind {
        Some(RawKind::Xchg) => Ok(Update::Exchange(value)),
        Some(RawKind::Add) => Ok(Update::Add(value)),
        Some(RawKind::Cas) => {
            let Some(expected) = event.exp else { return malformed("a `cas` without `exp`") };
            let Some(failure) = event.ford.map(MemoryOrder::from) else {
                return malformed("a `cas` without `ford`");
            };
            if !matches!(failure, MemoryOrder::Relaxed | MemoryOrder::Acquire | MemoryOrder::SeqCst) {
                return malformed(format!("a `cas` cannot fail with the order {failure:?}"));
            }
            Ok(Update::CompareExchange { expected, new: value, failure, weak: false })
        }
        None => malformed("a read-modify-write without `kind`"),
    }
}
