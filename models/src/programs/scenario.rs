//! A program as the text of a scenario, to be pasted among the others.

use std::fmt::Write;

use rescind_proptests::threads::given::End;
use rescind_spec::history::{FutureOp, GuardOp, JobOp, RegistrationOp, SourceOp, TokenOp, WeakOp};
use weakest::programs::{Alphabet, Object, Objects, Program};

use super::alphabet::Token;
use super::letter::{Body, COMPLETION, FUTURE, GUARD, HANDLE, JOB, Letter, REGISTRATION, TOKEN, WEAK};

/// The program as Rust, in the words of `scenarios/common.rs`: each operation is caught by itself, with what panics in it.
/// A callback that needs a source handle has a weak one here; its own thread's is what the program has.
pub(super) fn scenario(token: &Token, program: &Program<Letter>) -> String {
    let mut text = String::from("fn run<M: Model>() -> String {\n");
    let mut objects = token.initial();
    for handle in objects.of(HANDLE) {
        line(&mut text, 1, &format!("let mut source{handle} = Some(Source::<M>::new());"));
        line(&mut text, 1, &format!("let token{0} = source{1}.as_ref().map(Source::token);", handle + 1, handle));
    }
    program.set_up.iter().for_each(|letter| operation(&mut text, 1, token, letter, &mut objects));
    let mut names = Vec::new();
    for (thread, letters) in (1..).zip(&program.threads) {
        if program.threads.len() == 1 {
            letters.iter().for_each(|letter| operation(&mut text, 1, token, letter, &mut objects));
            continue;
        }
        let later = &program.threads[thread..];
        line(&mut text, 1, &format!("let thread{thread} = M::spawn({{"));
        for object in named(letters, objects.len()) {
            if later.iter().any(|letters| named(letters, objects.len()).contains(&object)) {
                let name = name(&objects, object);
                line(&mut text, 2, &format!("let mut {name} = {name}.clone();"));
            }
        }
        line(&mut text, 2, "move || {");
        let mut own = objects.clone();
        letters.iter().for_each(|letter| operation(&mut text, 3, token, letter, &mut own));
        line(&mut text, 3, "// What is left over here goes to the main thread in the program.");
        line(&mut text, 2, "}");
        line(&mut text, 1, "});");
        names.push(thread);
    }
    names.iter().for_each(|thread| line(&mut text, 1, &format!("M::join(thread{thread});")));
    let order = match token.end {
        End::OldestFirst => "each source with its tokens, the oldest first, then the rest",
        End::NewestFirst => "the rest first, then each source with its tokens, the newest first",
        End::HandlesLast => "tokens, then the rest, then source handles",
    };
    line(&mut text, 1, &format!("// Dropped at the end, each caught by itself: {order}."));
    line(&mut text, 1, "String::new()");
    text.push_str("}\n");
    text
}

fn line(text: &mut String, depth: usize, line: &str) {
    writeln!(text, "{:width$}{line}", "", width = depth * 4).expect("text grows");
}

fn named(letters: &[Letter], world: usize) -> Vec<Object> {
    let mut all: Vec<_> = letters
        .iter()
        .flat_map(|letter| letter.clone().objects().into_iter().map(|o| *o).collect::<Vec<_>>())
        .collect();
    all.retain(|object| *object < world);
    all.sort_unstable();
    all.dedup();
    all
}

fn name(objects: &Objects, object: Object) -> String {
    let kind = match objects.get(object).kind {
        HANDLE => "source",
        TOKEN => "token",
        REGISTRATION => "registration",
        FUTURE => "future",
        GUARD => "guard",
        WEAK => "weak",
        JOB => "job",
        COMPLETION => "completion",
        _ => unreachable!("these are all kinds"),
    };
    format!("{kind}{object}")
}

/// The callback as Rust.
fn callback(objects: &Objects, body: Body) -> String {
    match body {
        Body::Nothing => "|| {}".to_owned(),
        Body::Panics => "|| quiet_panic()".to_owned(),
        Body::Bomb => "{ let bomb = Bomb::<M>(None); move || drop(bomb) }".to_owned(),
        Body::Cancels(handle) => {
            format!(
                "{{ let weak = {0}.as_ref().map(Source::downgrade); move || _ = weak.map(|weak| weak.cancel()) }}",
                name(objects, handle)
            )
        }
        Body::Registers(token) => {
            format!(
                "{{ let token = {0}.clone(); move || token.unwrap().with_callback(|| {{}}, || {{}}) }}",
                name(objects, token)
            )
        }
        Body::Drops(handle) => format!("|| {{ /* drops {} */ }}", name(objects, handle)),
        Body::Resets(handle) => format!("|| {{ /* resets {} */ }}", name(objects, handle)),
    }
}

fn source_call(op: SourceOp, source: &str) -> String {
    let by = |method: &str| format!("{source}.as_ref().unwrap().{method}");
    match op {
        SourceOp::Drop => format!("drop({source}.take())"),
        SourceOp::Cancel => by("cancel()"),
        SourceOp::CancelFailFast => by("cancel_fail_fast()"),
        SourceOp::CancelOn => by("cancel_on(|job| given = Some(job))"),
        SourceOp::CancelAsync => by("cancel_on(|job| job.run()).wait()"),
        SourceOp::TryReset => format!("{source}.as_mut().unwrap().try_reset()"),
        SourceOp::Guard => by("drop_guard()"),
        op => by(&format!("{}()", op.name())),
    }
}

/// The call as Rust; these are the names of its objects.
fn call(letter: &Letter, named: &[String], before: &Objects) -> String {
    let first = named.first().cloned().unwrap_or_default();
    let by = |method: &str| format!("{first}.as_ref().unwrap().{method}");
    let take = |method: &str| format!("{first}.take().unwrap(){method}");
    match *letter {
        Letter::Timed(ticks) => format!("Source::with_timeout_on({ticks} * DELAY, clock.clone())"),
        Letter::Link(_) => format!("Source::linked(&{first})"),
        Letter::LinkBoth(..) => format!("Source::linked({0}.iter().chain(&{1}))", named[0], named[1]),
        Letter::Source(op, _) => source_call(op, &first),
        Letter::CancelBecause(_) => by("cancel_because(\"an error\")"),
        Letter::CancelAfter(_, ticks) => by(&format!("cancel_after({ticks} * DELAY)")),
        Letter::Token(op, _) => match op {
            TokenOp::IsCancelled => by("is_cancelled()"),
            TokenOp::CanBeCancelled => by("can_be_cancelled()"),
            TokenOp::Wait => by("wait()"),
            TokenOp::WaitNow => by("wait_timeout(Duration::ZERO)"),
            TokenOp::Future => format!("Box::pin({first}.clone().unwrap().cancelled_owned())"),
            op => by(&format!("{}()", op.name())),
        },
        Letter::Register(_, body) => by(&format!("register({})", callback(before, body))),
        Letter::Leave(_, body) => by(&format!("register({}).detach()", callback(before, body))),
        Letter::With(_, body) => by(&format!("with_callback({}, || {{}})", callback(before, body))),
        Letter::DropToken(_) => format!("drop({})", take("")),
        Letter::Registration(RegistrationOp::Unregister, _) => by("unregister()"),
        Letter::Registration(RegistrationOp::DisposeAsync, _) => {
            format!("poll(pin!({}), Waker::noop())", take(".dispose_async()"))
        }
        Letter::Registration(op, _) => take(&format!(".{}()", op.name())),
        Letter::Future(FutureOp::Drop, _) => format!("drop({})", take("")),
        Letter::Future(op, _) => {
            let waker = if op == FutureOp::Poll { "quiet" } else { "panicking" };
            format!("poll({first}.as_mut().unwrap().as_mut(), &{waker}_waker())")
        }
        Letter::Weak(WeakOp::Cancel, _) => by("cancel()"),
        Letter::Weak(op, _) => by(&format!("{}()", op.name())),
        Letter::Guard(GuardOp::Disarm, _) => take(".disarm()"),
        Letter::Guard(..) => format!("drop({})", take("")),
        Letter::Job(JobOp::Run, _) => take(".run()"),
        Letter::Job(JobOp::IsComplete, _) => by("is_complete()"),
        Letter::Job(..) => format!("poll(pin!({first}.as_mut().unwrap()), &quiet_waker())"),
        Letter::Advance(_) => "clock.advance(DELAY)".to_owned(),
    }
}

/// One operation as Rust; its objects are made in `objects`.
fn operation(text: &mut String, depth: usize, token: &Token, letter: &Letter, objects: &mut Objects) {
    let before = objects.clone();
    let named: Vec<_> = letter.clone().objects().into_iter().map(|object| name(&before, *object)).collect();
    token.apply(letter, objects);
    let made: Vec<_> = (before.len()..objects.len()).map(|object| name(objects, object)).collect();
    let call = call(letter, &named, &before);
    match &made[..] {
        [] => line(text, depth, &format!("panics::<M, _>(|| {call});")),
        [source, own] if own.starts_with("token") => {
            line(text, depth, &format!("let mut {source} = Some({call});"));
            line(text, depth, &format!("let mut {own} = {source}.as_ref().map(Source::token);"));
        }
        [job, completion] => {
            line(text, depth, "let mut given = None;");
            line(text, depth, &format!("let mut {completion} = Some({call});"));
            line(text, depth, &format!("let mut {job} = given;"));
        }
        [one, ..] if matches!(letter, Letter::Weak(..)) => line(text, depth, &format!("let mut {one} = {call};")),
        [one, ..] => {
            line(text, depth, &format!("let mut {one} = None;"));
            line(text, depth, &format!("panics::<M, _>(|| {one} = Some({call}));"));
        }
    }
}
