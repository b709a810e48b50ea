//! No livelock: from every state that can be reached, one where all is quiet can be reached.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::time::{Duration, Instant};

use crate::protocol::Protocol;

/// What a liveness search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveness {
    /// Different states.
    pub states: usize,
    /// States in which all is quiet.
    pub quiet: usize,
    /// States from which no quiet one can be reached.
    pub trapped: usize,
    /// Every state was seen.
    pub exhausted: bool,
}

/// Searches all states, then goes backwards from the quiet ones. If the time is over before that,
/// nothing is known: `trapped` then counts nothing.
pub fn liveness<P: Protocol>(protocol: &P, time: Duration) -> Liveness {
    let end = Instant::now() + time;
    let mut graph = Graph::default();
    let first = protocol.beginning();
    graph.number(&first);
    let mut open = VecDeque::from([(0, first)]);
    while let Some((number, world)) = open.pop_front() {
        if Instant::now() > end {
            let (states, quiet) = (graph.before.len(), graph.quiet.len());
            return Liveness { states, quiet, trapped: 0, exhausted: false };
        }
        if protocol.is_quiet(&world) {
            graph.quiet.push(number);
        }
        for action in protocol.possible(&world) {
            let Some(next) = protocol.next(&world, action) else { continue };
            let (after, is_new) = graph.number(&next);
            graph.before[after].push(number);
            if is_new {
                open.push_back((after, next));
            }
        }
    }
    let (states, quiet) = (graph.before.len(), graph.quiet.len());
    Liveness { states, quiet, trapped: graph.trapped(), exhausted: true }
}

/// States by number, each with those it follows.
#[derive(Default)]
struct Graph {
    numbers: HashMap<u64, usize>,
    before: Vec<Vec<usize>>,
    quiet: Vec<usize>,
}

impl Graph {
    fn number(&mut self, world: &impl std::hash::Hash) -> (usize, bool) {
        let mark = BuildHasherDefault::<DefaultHasher>::default().hash_one(world);
        let new = self.before.len();
        let number = *self.numbers.entry(mark).or_insert(new);
        if number == new {
            self.before.push(Vec::new());
        }
        (number, number == new)
    }

    fn trapped(&self) -> usize {
        let mut free = vec![false; self.before.len()];
        let mut open = self.quiet.clone();
        while let Some(number) = open.pop() {
            if !std::mem::replace(&mut free[number], true) {
                open.extend(&self.before[number]);
            }
        }
        free.iter().filter(|free| !**free).count()
    }
}
