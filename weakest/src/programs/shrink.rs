//! Shrinking a program that fails: to one of which no operation can be left out, with the fewest switches of threads.

use super::alphabet::Alphabet;
use super::program::{Program, is_sound};

/// Leaves out operations, set-up and whole threads while the rest is a program that fails `as_before`. An operation whose
/// object is gone then goes, too.
pub fn shrink<A: Alphabet>(
    alphabet: &A,
    program: &Program<A::Letter>,
    mut as_before: impl FnMut(&Program<A::Letter>) -> bool,
) -> Program<A::Letter> {
    let mut best = program.clone();
    while let Some(smaller) = smaller(alphabet, &best).into_iter().find(|smaller| as_before(smaller)) {
        best = smaller;
    }
    best
}

/// The program with one thing left out, the largest things first.
fn smaller<A: Alphabet>(alphabet: &A, program: &Program<A::Letter>) -> Vec<Program<A::Letter>> {
    let mut all = Vec::new();
    for thread in 0..program.threads.len() {
        if program.threads.len() > 1 {
            let mut smaller = program.clone();
            smaller.threads.remove(thread);
            all.push(smaller);
        }
    }
    for place in 0..program.set_up.len() {
        all.extend(without_set_up(alphabet, program, place));
    }
    for thread in 0..program.threads.len() {
        for place in 0..program.threads[thread].len() {
            all.extend(without(alphabet, program, thread, place));
        }
    }
    all.retain(|program| is_sound(alphabet, program));
    all
}

/// How many objects letters make, one after the other, from `objects` on.
fn makes<A: Alphabet>(
    alphabet: &A,
    letter: &A::Letter,
    objects: &mut super::alphabet::Objects,
) -> std::ops::Range<usize> {
    let before = objects.len();
    alphabet.apply(letter, objects);
    before..objects.len()
}

fn without_set_up<A: Alphabet>(alphabet: &A, program: &Program<A::Letter>, place: usize) -> Option<Program<A::Letter>> {
    let mut objects = alphabet.initial();
    let mut gone = 0..0;
    for (at, letter) in program.set_up.iter().enumerate() {
        let made = makes(alphabet, letter, &mut objects);
        if at == place {
            gone = made;
        }
    }
    let rename = |letters: &[A::Letter], from: usize| leave_out(alphabet, letters, from, &gone);
    let set_up = [&program.set_up[..place], &rename(&program.set_up, place + 1)?].concat();
    let threads: Option<Vec<_>> = program.threads.iter().map(|letters| rename(letters, 0)).collect();
    Some(Program { set_up, threads: threads? })
}

fn without<A: Alphabet>(
    alphabet: &A,
    program: &Program<A::Letter>,
    thread: usize,
    place: usize,
) -> Option<Program<A::Letter>> {
    let mut objects = alphabet.initial();
    program.set_up.iter().for_each(|letter| alphabet.apply(letter, &mut objects));
    let letters = &program.threads[thread];
    letters[..place].iter().for_each(|letter| alphabet.apply(letter, &mut objects));
    let gone = makes(alphabet, &letters[place], &mut objects);
    let mut smaller = program.clone();
    smaller.threads[thread] = [&letters[..place], &leave_out(alphabet, letters, place + 1, &gone)?].concat();
    Some(smaller)
}

/// The letters from a place on, when some objects are not made; `None`: one of them uses such an object.
fn leave_out<A: Alphabet>(
    alphabet: &A,
    letters: &[A::Letter],
    from: usize,
    gone: &std::ops::Range<usize>,
) -> Option<Vec<A::Letter>> {
    let rest = &letters[from..];
    let uses_gone = |letter: &A::Letter| alphabet.uses(letter).iter().any(|(object, _)| gone.contains(object));
    if rest.iter().any(uses_gone) {
        return None;
    }
    let name = |object: usize| if object >= gone.end { object - gone.len() } else { object };
    Some(rest.iter().map(|letter| alphabet.renamed(letter, &name)).collect())
}

/// How often the running thread changes in an execution that a trace tells: a line for each step, a column for each
/// thread.
#[must_use]
pub fn switches(trace: &str) -> usize {
    let columns = trace.lines().skip(1).filter_map(|line| {
        let place = line.split('|').position(|cell| !cell.trim().is_empty())?;
        Some(place)
    });
    let columns: Vec<_> = columns.collect();
    columns.windows(2).filter(|pair| pair[0] != pair[1]).count()
}
