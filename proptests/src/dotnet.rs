//! The living .NET: how it is set up and asked, and where it may differ.

use std::fmt;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use rescind_spec::history::Op;
use serde_json::Value;

use crate::json;

/// An answer about a disposed source that differs by design.
#[derive(Debug)]
pub struct Difference {
    /// Name of the operation.
    pub operation: &'static str,
    /// What .NET answers, as JSON.
    pub dotnet: &'static str,
    /// What the token answers, as JSON.
    pub token: &'static str,
    /// Why.
    pub because: &'static str,
}

/// All of them. Each is about a source whose last handle was dropped, which is .NET's `Dispose`. Beside them, .NET is
/// not asked what it cannot be: to reset a source that has another handle (it knows no handles; the token says no) or
/// whose timer is a clock's of the user's (it never does; the token does), or to do something with a handle that was
/// dropped (ownership forbids what throws `ObjectDisposedException` there).
pub const DIFFERENCES: &[Difference] = &[
    Difference {
        operation: "can-be-cancelled",
        dotnet: "true",
        token: "false",
        because: "no request can come any more, and C++'s stop_possible says so",
    },
    Difference {
        operation: "unregister",
        dotnet: "true",
        token: "false",
        because: "dropping the last handle drops the callbacks; Dispose keeps them until they are unregistered",
    },
    Difference {
        operation: "wait-now",
        dotnet: "null",
        token: "false",
        because: "tokens stay usable; a disposed source's WaitHandle throws ObjectDisposedException",
    },
    Difference {
        operation: "wait-now",
        dotnet: "null",
        token: "true",
        because: "tokens stay usable; a disposed source's WaitHandle throws ObjectDisposedException",
    },
    Difference {
        operation: "wait",
        dotnet: "null",
        token: "\"ok\"",
        because: "tokens stay usable; a disposed source's WaitHandle throws ObjectDisposedException",
    },
];

/// Whether what .NET and the token did agree, up to [`DIFFERENCES`].
///
/// # Errors
/// The first place where they do not.
pub fn agree(dotnet: &[Value], token: &[Value]) -> Result<(), Disagreement> {
    let is = |value: &Value, json: &str| serde_json::from_str::<Value>(json).is_ok_and(|known| known == *value);
    let excused = |theirs: &Value, ours: &Value| match theirs.as_array().map(Vec::as_slice) {
        Some([mark, operation, answer]) if mark == "disposed" => {
            answer == ours
                || DIFFERENCES
                    .iter()
                    .any(|known| *operation == known.operation && is(answer, known.dotnet) && is(ours, known.token))
        }
        _ => false,
    };
    let longest = dotnet.len().max(token.len());
    let same = |i: usize| match (dotnet.get(i), token.get(i)) {
        (Some(theirs), Some(ours)) => theirs == ours || excused(theirs, ours),
        _ => false,
    };
    match (0..longest).find(|&i| !same(i)) {
        None => Ok(()),
        Some(at) => Err(Disagreement { at, dotnet: dotnet.get(at).cloned(), token: token.get(at).cloned() }),
    }
}

/// Where two observations part.
#[derive(Debug, PartialEq, Eq)]
pub struct Disagreement {
    at: usize,
    dotnet: Option<Value>,
    token: Option<Value>,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
        write!(f, "observation {}: .NET {}, the token {}", self.at, show(&self.dotnet), show(&self.token))
    }
}

impl std::error::Error for Disagreement {}

/// Sets .NET up in `directory`, unless it is there: the command that runs the driver.
fn driver(directory: &Path) -> Result<Command, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("dotnet/setup.py");
    let done = Command::new("python3").arg(script).arg(directory).output();
    let done = done.map_err(|error| format!("python3 does not start: {error}"))?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned());
    }
    let said = String::from_utf8_lossy(&done.stdout);
    let command: Vec<String> = said
        .lines()
        .last()
        .and_then(|line| serde_json::from_str(line).ok())
        .ok_or_else(|| format!("the set-up names no command: {said}"))?;
    let (program, arguments) = command.split_first().ok_or("the set-up names an empty command")?;
    let mut driver = Command::new(program);
    driver.args(arguments);
    Ok(driver)
}

/// Has .NET measure itself: nanoseconds to register a callback and unregister it, in several rounds, as a line of JSON.
///
/// # Errors
/// Why .NET cannot be had here.
pub fn speed(directory: &Path) -> Result<String, String> {
    let done =
        driver(directory)?.arg("speed").output().map_err(|error| format!("the driver does not start: {error}"))?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned());
    }
    Ok(String::from_utf8_lossy(&done.stdout).trim_end().to_owned())
}

/// A process that does histories with .NET's own `CancellationTokenSource`.
#[derive(Debug)]
pub struct DotNet {
    process: Child,
    input: Option<BufWriter<ChildStdin>>,
    output: BufReader<ChildStdout>,
    runtime: String,
}

impl DotNet {
    /// Sets .NET up in `directory`, unless it is there, and starts it.
    ///
    /// # Errors
    /// Why it cannot be had here.
    pub fn start(directory: &Path) -> Result<Self, String> {
        let mut driver = driver(directory)?;
        let mut process = driver
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{:?} does not start: {error}", driver.get_program()))?;
        let input = process.stdin.take().map(BufWriter::new);
        let output = BufReader::new(process.stdout.take().ok_or("the driver has no output")?);
        let mut dotnet = Self { process, input, output, runtime: String::new() };
        dotnet.runtime = dotnet.read()?["runtime"].as_str().ok_or("the driver names no runtime")?.to_owned();
        Ok(dotnet)
    }

    /// The version of the runtime.
    #[must_use]
    pub fn runtime(&self) -> &str {
        &self.runtime
    }

    /// What .NET does with each of some histories.
    ///
    /// # Errors
    /// If the driver fails.
    pub fn ask(&mut self, histories: &[Vec<Op>]) -> Result<Vec<Vec<Value>>, String> {
        let mut input = self.input.take().ok_or("the driver was stopped")?;
        let lines = histories.iter().map(|history| json::write(history).to_string());
        let write = || lines.into_iter().try_for_each(|line| writeln!(input, "{line}")).and_then(|()| input.flush());
        // Both pipes are short, so what is asked and what is answered flow at the same time.
        let answers = thread::scope(|scope| {
            let writer = scope.spawn(write);
            let answers: Result<Vec<_>, _> = histories.iter().map(|_| self.observed()).collect();
            let written = writer.join().map_err(|_| "the writer panicked")?;
            written.map_err(|error| format!("the driver takes no histories: {error}"))?;
            answers
        })?;
        self.input = Some(input);
        Ok(answers)
    }

    fn observed(&mut self) -> Result<Vec<Value>, String> {
        match self.read()? {
            Value::Array(observed) => Ok(observed),
            other => Err(format!("the driver answers {other}")),
        }
    }

    fn read(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|error| error.to_string())?;
        serde_json::from_str(&line).map_err(|error| format!("the driver answers {line:?}: {error}"))
    }
}

impl Drop for DotNet {
    fn drop(&mut self) {
        // The driver ends with its input.
        drop(self.input.take());
        let _exit = self.process.wait();
    }
}
