//! Programs: what is set up, and what each thread does then.

use std::fmt;

use super::alphabet::{Alphabet, Object, Objects};

/// A small program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Program<L> {
    /// What the main thread does first, alone.
    pub set_up: Vec<L>,
    /// What each thread does then.
    pub threads: Vec<Vec<L>>,
}

/// How large programs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Size {
    /// Threads.
    pub threads: usize,
    /// Operations of each.
    pub operations: usize,
    /// Operations of the set-up.
    pub set_up: usize,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} after {}", self.threads, self.operations, self.set_up)
    }
}

impl<L> Program<L> {
    /// How many operations it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.set_up.len() + self.threads.iter().map(Vec::len).sum::<usize>()
    }

    /// Whether it does nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<L: fmt::Display> fmt::Display for Program<L> {
    /// One line: the set-up, then the threads, as in `new a; register a || cancel a || poll a`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_all(f, &self.set_up)?;
        for thread in &self.threads {
            f.write_str(" || ")?;
            write_all(f, thread)?;
        }
        Ok(())
    }
}

fn write_all(f: &mut fmt::Formatter<'_>, letters: &[impl fmt::Display]) -> fmt::Result {
    for (i, letter) in letters.iter().enumerate() {
        write!(f, "{}{letter}", if i == 0 { "" } else { "; " })?;
    }
    Ok(())
}

/// Reads what [`Program`]'s `Display` wrote; `None`: it is no program of this alphabet.
pub fn parse<A: Alphabet>(alphabet: &A, text: &str) -> Option<Program<A::Letter>> {
    let mut parts = text.split(" || ");
    let mut objects = alphabet.initial();
    let set_up = read(parts.next()?, &mut objects, alphabet, |objects| alphabet.set_up(objects))?;
    let threads: Option<Vec<_>> =
        parts.map(|part| read(part, &mut objects.clone(), alphabet, |objects| alphabet.letters(objects))).collect();
    Some(Program { set_up, threads: threads? })
}

fn read<A: Alphabet>(
    text: &str,
    objects: &mut Objects,
    alphabet: &A,
    fitting: impl Fn(&Objects) -> Vec<A::Letter>,
) -> Option<Vec<A::Letter>> {
    let texts = text.split("; ").map(str::trim).filter(|text| !text.is_empty());
    texts
        .map(|text| {
            let letter = fitting(objects).into_iter().find(|letter| letter.to_string() == text)?;
            alphabet.apply(&letter, objects);
            Some(letter)
        })
        .collect()
}

/// Whether each operation fits where it stands, and no thread uses what another one has for itself.
pub fn is_sound<A: Alphabet>(alphabet: &A, program: &Program<A::Letter>) -> bool {
    let mut objects = alphabet.initial();
    let fits = |letters: &[A::Letter], objects: &mut Objects, set_up: bool| {
        letters.iter().all(|letter| {
            let fitting = if set_up { alphabet.set_up(objects) } else { alphabet.letters(objects) };
            let fits = fitting.contains(letter);
            if fits {
                alphabet.apply(letter, objects);
            }
            fits
        })
    };
    fits(&program.set_up, &mut objects, true)
        && program.threads.iter().all(|thread| fits(thread, &mut objects.clone(), false))
        && super::enumerate::are_compatible(alphabet, &program.threads, objects.len())
}

/// What each object is called when the set-up is done in another order, and what is there before has these names:
/// `order` names the old places.
pub(super) fn rename_in_order<A: Alphabet>(
    alphabet: &A,
    set_up: &[A::Letter],
    order: &[usize],
    before: &[Object],
) -> Vec<Object> {
    let mut objects = alphabet.initial();
    let mut made: Vec<Vec<Object>> = Vec::new();
    for letter in set_up {
        let before = objects.len();
        alphabet.apply(letter, &mut objects);
        made.push((before..objects.len()).collect());
    }
    let mut names: Vec<Object> = (0..objects.len()).collect();
    names[..before.len()].copy_from_slice(before);
    let mut next = before.len();
    for &place in order {
        for &old in &made[place] {
            names[old] = next;
            next += 1;
        }
    }
    names
}
