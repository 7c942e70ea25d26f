//! Worlds: what a set-up leaves, one for each class of set-ups that differ in names only.

use super::alphabet::{Alphabet, Objects};
use super::program::rename_in_order;

/// What a set-up leaves.
#[derive(Debug, Clone)]
pub struct World<L> {
    /// The set-up, the first of its class.
    pub set_up: Vec<L>,
    /// The objects then.
    pub objects: Objects,
    /// How many set-ups are the same up to names and the order of operations that have nothing to do with each other.
    pub class: u64,
    /// The ways to rename objects that leave the set-up as it is, the identity included.
    pub symmetries: Vec<Vec<usize>>,
}

/// The worlds of set-ups of so many operations.
pub fn worlds<A: Alphabet>(alphabet: &A, operations: usize) -> Vec<World<A::Letter>> {
    let mut all: std::collections::BTreeMap<Vec<A::Letter>, World<A::Letter>> = std::collections::BTreeMap::new();
    let mut open = vec![(Vec::new(), alphabet.initial())];
    for _ in 0..operations {
        let longer = open.into_iter().flat_map(|(set_up, objects)| {
            alphabet.set_up(&objects).into_iter().map(move |letter| {
                let (mut set_up, mut objects) = (set_up.clone(), objects.clone());
                alphabet.apply(&letter, &mut objects);
                set_up.push(letter);
                (set_up, objects)
            })
        });
        open = longer.collect();
    }
    for (set_up, objects) in open {
        let variants = variants(alphabet, &set_up);
        let first = variants.iter().map(|(letters, _)| letters).min().expect("a set-up is a variant of itself").clone();
        let same = variants.into_iter().filter(|(letters, _)| *letters == set_up).map(|(_, names)| names);
        let symmetries: Vec<_> = same.collect();
        match all.get_mut(&first) {
            Some(world) => world.class += 1,
            None => {
                _ = all.insert(
                    first.clone(),
                    World { set_up: first.clone(), objects: objects.clone(), class: 1, symmetries: symmetries.clone() },
                )
            }
        }
        if set_up == first {
            let world = all.get_mut(&first).expect("inserted above");
            (world.objects, world.symmetries) = (objects, symmetries);
        }
    }
    all.into_values().collect()
}

/// The set-up in every order that means the same, with the new name of each object.
fn variants<A: Alphabet>(alphabet: &A, set_up: &[A::Letter]) -> Vec<(Vec<A::Letter>, Vec<usize>)> {
    let met = meetings(alphabet, set_up);
    let is_same = |order: &[usize]| {
        let mut pairs = order.iter().enumerate().flat_map(|(i, &a)| order[i + 1..].iter().map(move |&b| (a, b)));
        pairs.all(|(a, b)| a < b || !met[a][b])
    };
    let orders = orders(set_up.len()).into_iter().filter(|order| is_same(order));
    orders
        .map(|order| {
            let names = rename_in_order(alphabet, set_up, &order);
            let letters = order.iter().map(|&place| alphabet.renamed(&set_up[place], &|object| names[object]));
            (letters.collect(), names)
        })
        .collect()
}

/// For each operation of a set-up, whether an earlier one has to do with the same objects, as they are then.
fn meetings<A: Alphabet>(alphabet: &A, set_up: &[A::Letter]) -> Vec<Vec<bool>> {
    let mut objects = alphabet.initial();
    let mut named: Vec<Vec<usize>> = Vec::new();
    let met = set_up.iter().map(|letter| {
        let before = objects.len();
        alphabet.apply(letter, &mut objects);
        let used = alphabet.uses(letter).into_iter().map(|(object, _)| object);
        named.push(used.chain(before..objects.len()).collect());
        let components = objects.components();
        let touched = |names: &[usize]| names.iter().fold(0, |bits, &object| bits | components[object]);
        let this = touched(named.last().expect("pushed above"));
        named.iter().map(|names| touched(names) & this != 0).collect()
    });
    met.collect()
}

/// Every order of so many things.
pub(super) fn orders(of: usize) -> Vec<Vec<usize>> {
    (0..of).fold(vec![Vec::new()], |shorter, next| {
        let insert = |order: Vec<usize>| {
            (0..=order.len()).map(move |at| {
                let mut order = order.clone();
                order.insert(at, next);
                order
            })
        };
        shorter.into_iter().flat_map(insert).collect()
    })
}
