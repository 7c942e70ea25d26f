//! Every program of a size: one for each class of symmetric ones, without those whose threads have nothing to do with
//! each other.
//!
//! # What is left out, and why
//! | left out | because |
//! |---|---|
//! | [symmetric](Counts::distinct): the threads in another order, equal objects under other names | it is the same program |
//! | [apart](Counts::apart): threads that fall into groups with no object in common, or that only read what they have in common | no group can see another one: each is a program of fewer threads |
//! | [idle](Counts::idle): an operation of the set-up with whose objects no thread has to do | the rest is a program after a smaller set-up |
//!
//! Two objects have to do with each other if one was made with the other, directly or through others.

use std::collections::HashMap;

use super::alphabet::{Alphabet, Hold, Objects};
use super::program::{Program, Size};
use super::world::{World, worlds};

/// How many programs of a size there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Set-ups that differ in more than names.
    pub worlds: u64,
    /// All that fit.
    pub all: u64,
    /// One of each class of symmetric ones.
    pub distinct: u64,
    /// Of these, those that fall apart.
    pub apart: u64,
    /// Of these, those with an operation of the set-up that no thread has to do with.
    pub idle: u64,
    /// What is left: those to be explored.
    pub left: u64,
}

/// What one thread may do in a world.
struct Part<L> {
    letters: Vec<L>,
    /// Objects of the world that it names, as bits.
    named: u64,
    /// Of these, those that it has for itself.
    own: u64,
    /// All that it has to do with.
    touched: u64,
    only_reads: bool,
}

/// What happens next in an enumeration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The next program.
    On,
    /// No further one.
    Stop,
}

/// Calls `visit` with every program of the size that is left, in an order that is always the same, until it says stop;
/// and counts. Counts are of what was enumerated until then.
pub fn enumerate<A: Alphabet>(
    alphabet: &A,
    size: Size,
    mut visit: impl FnMut(u64, &dyn Fn() -> Program<A::Letter>) -> Flow,
) -> Counts {
    let mut counts = Counts::default();
    for world in worlds(alphabet, size.set_up) {
        counts.worlds += 1;
        let flow = if size.threads == 1 {
            let mut open = (Vec::new(), world.objects.clone());
            one_thread(alphabet, &world, size.operations, &mut open, &mut counts, &mut visit)
        } else {
            in_world(alphabet, &world, size, &mut counts, &mut visit)
        };
        if flow == Flow::Stop {
            break;
        }
    }
    counts
}

/// The programs of one thread that go on from `open`, what was done so far and the objects then. There are many, so
/// that no table of them is made.
fn one_thread<A: Alphabet>(
    alphabet: &A,
    world: &World<A::Letter>,
    more: usize,
    open: &mut (Vec<A::Letter>, Objects),
    counts: &mut Counts,
    visit: &mut impl FnMut(u64, &dyn Fn() -> Program<A::Letter>) -> Flow,
) -> Flow {
    if more > 0 {
        for letter in alphabet.letters(&open.1) {
            let before = open.1.clone();
            alphabet.apply(&letter, &mut open.1);
            open.0.push(letter);
            let flow = one_thread(alphabet, world, more - 1, open, counts, visit);
            open.0.pop();
            open.1 = before;
            if flow == Flow::Stop {
                return flow;
            }
        }
        return Flow::On;
    }
    let letters = &open.0;
    counts.all += world.class;
    let is_smaller = |names: &Vec<usize>| {
        let name = |object: usize| names.get(object).copied().unwrap_or(object);
        letters.iter().map(|letter| alphabet.renamed(letter, &name)).lt(letters.iter().cloned())
    };
    if world.symmetries.iter().any(is_smaller) {
        return Flow::On;
    }
    counts.distinct += 1;
    let touched = touched(&used(alphabet, letters, world.objects.len()), &world.objects);
    if world.parts.iter().any(|part| part & touched == 0) {
        counts.idle += 1;
        return Flow::On;
    }
    counts.left += 1;
    visit(counts.left - 1, &|| Program { set_up: world.set_up.clone(), threads: vec![letters.clone()] })
}

/// What letters that name these objects have to do with, as bits.
fn touched(&(named, _): &(u64, u64), world: &Objects) -> u64 {
    let components = world.components();
    (0..world.len()).filter(|object| named & 1 << object != 0).fold(0, |all, object| all | components[object])
}

fn in_world<A: Alphabet>(
    alphabet: &A,
    world: &World<A::Letter>,
    size: Size,
    counts: &mut Counts,
    visit: &mut impl FnMut(u64, &dyn Fn() -> Program<A::Letter>) -> Flow,
) -> Flow {
    let parts = parts(alphabet, &world.objects, size.operations);
    let renamings = renamings(alphabet, world, &parts);
    counts.all += world.class * ordered_tuples(&parts, size.threads);
    let is_idle = |touched: u64| world.parts.iter().any(|part| part & touched == 0);
    let mut chosen = vec![0; size.threads];
    loop {
        if let Some(place) = first_conflict(&parts, &chosen) {
            if !advance(&mut chosen, place, parts.len()) {
                return Flow::On;
            }
            continue;
        }
        if is_first(&chosen, &renamings) {
            counts.distinct += 1;
            let touched = chosen.iter().fold(0, |bits, &part| bits | parts[part].touched);
            if falls_apart(&parts, &chosen) {
                counts.apart += 1;
            } else if is_idle(touched) {
                counts.idle += 1;
            } else {
                let program = || Program {
                    set_up: world.set_up.clone(),
                    threads: chosen.iter().map(|&part| parts[part].letters.clone()).collect(),
                };
                counts.left += 1;
                if visit(counts.left - 1, &program) == Flow::Stop {
                    return Flow::Stop;
                }
            }
        }
        if chosen.is_empty() || parts.is_empty() || !advance(&mut chosen, size.threads - 1, parts.len()) {
            return Flow::On;
        }
    }
}

/// The next choice that differs at `place` or before; choices never go down.
fn advance(chosen: &mut [usize], place: usize, of: usize) -> bool {
    for at in (0..=place).rev() {
        if chosen[at] + 1 < of {
            let next = chosen[at] + 1;
            chosen[at..].fill(next);
            return true;
        }
    }
    false
}

/// The first place whose thread uses what one before has for itself, or the other way round.
fn first_conflict<L>(parts: &[Part<L>], chosen: &[usize]) -> Option<usize> {
    if parts.is_empty() {
        return (!chosen.is_empty()).then_some(0);
    }
    let conflict = |a: &Part<L>, b: &Part<L>| a.own & b.named != 0 || b.own & a.named != 0;
    (1..chosen.len()).find(|&i| (0..i).any(|j| conflict(&parts[chosen[i]], &parts[chosen[j]])))
}

/// How many ordered choices of parts are compatible.
fn ordered_tuples<L>(parts: &[Part<L>], threads: usize) -> u64 {
    let mut groups: HashMap<(u64, u64), u64> = HashMap::new();
    parts.iter().for_each(|part| *groups.entry((part.named, part.own)).or_default() += 1);
    let groups: Vec<_> = groups.into_iter().collect();
    let mut open = vec![((0_u64, 0_u64), 1_u64)];
    for _ in 0..threads {
        let mut longer: HashMap<(u64, u64), u64> = HashMap::new();
        for &((named, own), count) in &open {
            for &((more, mine), times) in &groups {
                if own & more == 0 && mine & named == 0 {
                    *longer.entry((named | more, own | mine)).or_default() += count * times;
                }
            }
        }
        open = longer.into_iter().collect();
    }
    open.iter().map(|(_, count)| count).sum()
}

fn parts<A: Alphabet>(alphabet: &A, world: &Objects, operations: usize) -> Vec<Part<A::Letter>> {
    let mut open = vec![(Vec::new(), world.clone())];
    for _ in 0..operations {
        let longer = open.into_iter().flat_map(|(letters, objects)| {
            alphabet.letters(&objects).into_iter().map(move |letter| {
                let (mut letters, mut objects) = (letters.clone(), objects.clone());
                alphabet.apply(&letter, &mut objects);
                letters.push(letter);
                (letters, objects)
            })
        });
        open = longer.collect();
    }
    let part = |(letters, _): (Vec<A::Letter>, Objects)| {
        let (named, own) = used(alphabet, &letters, world.len());
        let touched = touched(&(named, own), world);
        let only_reads = letters.iter().all(|letter| alphabet.only_reads(letter));
        Part { letters, named, own, touched, only_reads }
    };
    open.into_iter().map(part).collect()
}

/// The objects of the world that letters name, and those that they have for themselves.
fn used<A: Alphabet>(alphabet: &A, letters: &[A::Letter], world: usize) -> (u64, u64) {
    let uses = letters.iter().flat_map(|letter| alphabet.uses(letter)).filter(|(object, _)| *object < world);
    uses.fold((0, 0), |(named, own), (object, hold)| {
        (named | 1 << object, if hold == Hold::Own { own | 1 << object } else { own })
    })
}

/// Whether no thread uses what another one has for itself.
pub(super) fn are_compatible<A: Alphabet>(alphabet: &A, threads: &[Vec<A::Letter>], world: usize) -> bool {
    let used: Vec<_> = threads.iter().map(|letters| used(alphabet, letters, world)).collect();
    (0..used.len()).all(|i| (0..used.len()).all(|j| i == j || used[i].1 & used[j].0 == 0))
}

/// For each symmetry of the world but the identity, the place of each part under other names.
fn renamings<A: Alphabet>(alphabet: &A, world: &World<A::Letter>, parts: &[Part<A::Letter>]) -> Vec<Vec<usize>> {
    let is_identity = |names: &[usize]| names.iter().enumerate().all(|(old, &new)| old == new);
    let others: Vec<_> = world.symmetries.iter().filter(|names| !is_identity(names)).collect();
    if others.is_empty() {
        return Vec::new();
    }
    let places: HashMap<String, usize> =
        parts.iter().enumerate().map(|(place, part)| (key(&part.letters), place)).collect();
    let rename = |names: &[usize]| {
        let name = |object: usize| names.get(object).copied().unwrap_or(object);
        let renamed = parts.iter().map(|part| {
            let letters: Vec<_> = part.letters.iter().map(|letter| alphabet.renamed(letter, &name)).collect();
            *places.get(&key(&letters)).expect("a symmetry leads to programs of the same world")
        });
        renamed.collect()
    };
    others.into_iter().map(|names| rename(names)).collect()
}

fn key<L: std::fmt::Display>(letters: &[L]) -> String {
    letters.iter().map(|letter| format!("{letter};")).collect()
}

/// Whether no symmetry leads to a smaller choice.
fn is_first(chosen: &[usize], renamings: &[Vec<usize>]) -> bool {
    renamings.iter().all(|places| {
        let mut other: Vec<_> = chosen.iter().map(|&part| places[part]).collect();
        other.sort_unstable();
        chosen <= &other[..]
    })
}

/// Whether some threads cannot see the others.
fn falls_apart<L>(parts: &[Part<L>], chosen: &[usize]) -> bool {
    let meets = |a: &Part<L>, b: &Part<L>| a.touched & b.touched != 0 && !(a.only_reads && b.only_reads);
    let mut reached = 1_u64;
    for _ in 0..chosen.len() {
        for (i, &a) in chosen.iter().enumerate() {
            let is_met = chosen.iter().enumerate().any(|(j, &b)| reached & 1 << j != 0 && meets(&parts[a], &parts[b]));
            if is_met {
                reached |= 1 << i;
            }
        }
    }
    reached != bits(chosen.len())
}

const fn bits(of: usize) -> u64 {
    if of >= 64 { u64::MAX } else { (1 << of) - 1 }
}
