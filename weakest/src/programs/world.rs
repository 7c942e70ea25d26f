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
    /// What each operation of the set-up has to do with, as bits.
    pub(super) parts: Vec<u64>,
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
        let first = variants.iter().map(|(letters, _)| letters).min().expect("a set-up is a variant of itself");
        if let Some(world) = all.get_mut(first) {
            world.class += 1;
        } else {
            // Every member of a class is enumerated: the first one stands for it, with its own names.
            let objects_of_first = replay(alphabet, first);
            let own = self::variants(alphabet, first).into_iter().filter(|(letters, _)| letters == first);
            let symmetries = own.map(|(_, names)| names).collect();
            let parts = touched(alphabet, first, &objects_of_first.components());
            debug_assert_eq!(objects.len(), objects_of_first.len(), "a variant makes as much");
            let world = World { set_up: first.clone(), objects: objects_of_first, class: 1, symmetries, parts };
            all.insert(first.clone(), world);
        }
    }
    all.into_values().collect()
}

fn replay<A: Alphabet>(alphabet: &A, set_up: &[A::Letter]) -> Objects {
    let mut objects = alphabet.initial();
    set_up.iter().for_each(|letter| alphabet.apply(letter, &mut objects));
    objects
}

/// What each operation of a set-up has to do with.
fn touched<A: Alphabet>(alphabet: &A, set_up: &[A::Letter], components: &[u64]) -> Vec<u64> {
    let mut objects = alphabet.initial();
    let touched = set_up.iter().map(|letter| {
        let before = objects.len();
        alphabet.apply(letter, &mut objects);
        let named = alphabet.uses(letter).into_iter().map(|(object, _)| object);
        named.chain(before..objects.len()).fold(0, |bits, object| bits | components[object])
    });
    touched.collect()
}

/// The set-up in every order that means the same, with the new name of each object.
fn variants<A: Alphabet>(alphabet: &A, set_up: &[A::Letter]) -> Vec<(Vec<A::Letter>, Vec<usize>)> {
    let met = meetings(alphabet, set_up);
    let is_same = |order: &[usize]| {
        let mut pairs = order.iter().enumerate().flat_map(|(i, &a)| order[i + 1..].iter().map(move |&b| (a, b)));
        pairs.all(|(a, b)| a < b || !met[a][b])
    };
    let variant = |order: &[usize], before: &[usize]| {
        let names = rename_in_order(alphabet, set_up, order, before);
        let letters = order.iter().map(|&place| alphabet.renamed(&set_up[place], &|object| names[object]));
        (letters.collect(), names)
    };
    let symmetries = alphabet.symmetries();
    let orders = orders(set_up.len()).into_iter().filter(|order| is_same(order));
    orders.flat_map(|order| symmetries.iter().map(|before| variant(&order, before)).collect::<Vec<_>>()).collect()
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
