//! Random small programs: 2 to 4 threads, up to 8 events, every order, fences, read-modify-writes and instructions
//! that depend on values read, or wait for one.

use weakest::graph::program::{Action, Guard, Instruction, Location, MemoryOrder, Observable, Program, Update};

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// What a program is made of.
struct Style {
    locations: usize,
    /// Chances in percent.
    plain: usize,
    seq_cst: usize,
    fences: usize,
    waits: usize,
}

/// A random program. Its observables are all registers and all final values.
pub(crate) fn program(random: &mut Random) -> Program {
    let style = Style {
        locations: 1 + random.below(3),
        plain: random.pick(&[0, 0, 20]),
        seq_cst: random.pick(&[0, 30, 80]),
        fences: random.pick(&[0, 20, 40]),
        waits: random.pick(&[0, 0, 30]),
    };
    let threads = 2 + random.below(3);
    let mut left = 8;
    let mut program = Program {
        locations: (0..style.locations).map(|l| Location { name: format!("x{l}"), init: 0 }).collect(),
        threads: Vec::new(),
        observables: (0..style.locations).map(Observable::Final).collect(),
    };
    for thread in 0..threads {
        let most = (left - (threads - thread - 1)).min(4);
        let length = 1 + random.below(most);
        left -= length;
        let mut instructions: Vec<Instruction> = Vec::new();
        for position in 0..length {
            let instruction = instruction(random, &style, &instructions);
            if instruction.action.reads() {
                program.observables.push(Observable::Register { thread, read: position });
            }
            instructions.push(instruction);
        }
        program.threads.push(instructions);
    }
    program
}

fn instruction(random: &mut Random, style: &Style, before: &[Instruction]) -> Instruction {
    use MemoryOrder::{AcqRel, Acquire, NonAtomic, Relaxed, Release, SeqCst};
    let location = random.below(style.locations);
    let order = |random: &mut Random, others: &[MemoryOrder]| {
        if random.percent(style.seq_cst) { SeqCst } else { random.pick(others) }
    };
    let plain = random.percent(style.plain);
    let action = if random.percent(style.fences) {
        Action::Fence { order: order(random, &[Acquire, Release, AcqRel]) }
    } else {
        let value = 1 + i64::try_from(random.below(2)).expect("small");
        match random.below(10) {
            0..4 => {
                let order = if plain { NonAtomic } else { order(random, &[Relaxed, Acquire]) };
                Action::Read { location, order }
            }
            4..7 => {
                let order = if plain { NonAtomic } else { order(random, &[Relaxed, Release]) };
                Action::Write { location, order, value }
            }
            _ => {
                let failure = order(random, &[Relaxed, Acquire]);
                let expected = i64::try_from(random.below(2)).expect("small");
                let update = random.pick(&[
                    Update::Exchange(value),
                    Update::Add(1),
                    Update::CompareExchange { expected, new: value, failure, weak: false },
                    Update::CompareExchange { expected, new: value, failure, weak: true },
                ]);
                let order = order(random, &[Relaxed, Acquire, Release, AcqRel]);
                Action::ReadModifyWrite { location, order, update }
            }
        }
    };
    let reads: Vec<usize> = (0..before.len()).filter(|&at| before[at].action.reads()).collect();
    let guard = (!reads.is_empty() && random.percent(25))
        .then(|| Guard { read: random.pick(&reads), value: i64::try_from(random.below(2)).expect("small") });
    let until = (action.reads() && random.percent(style.waits)).then(|| i64::try_from(random.below(2)).expect("small"));
    Instruction { guard, until, ..Instruction::new(action) }
}
