//! Searching a model breadth first, with an honest verdict.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::protocol::{Protocol, Sight};

/// What a search found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The property that does not hold, and the shortest way to a state where it does not.
    pub counterexample: Option<(&'static str, Vec<String>)>,
    /// What was come across.
    pub seen: Vec<Sight>,
    /// Different states.
    pub states: usize,
    /// Every state was seen. False if the time was over, or a counterexample ended the search.
    pub exhausted: bool,
    /// How long it took.
    pub took: Duration,
}

/// Searches until all is seen, a property is broken (if one is named: that one), or the time is
/// over. One thread: so the counterexample is a shortest one, and the same each time.
pub fn search<P: Protocol>(protocol: &P, only: Option<&'static str>, time: Duration) -> Report {
    let began = Instant::now();
    let is_cut = Arc::new(AtomicBool::new(false));
    let timed = Timed {
        protocol: protocol.clone(),
        only,
        end: began + time,
        is_cut: is_cut.clone(),
        is_found: AtomicBool::new(false),
    };
    let searched =
        timed.checker().threads(1).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let counterexample = searched.discovery(HOLDS).map(|path| {
        let broken = protocol.broken(path.last_state(), only).unwrap_or(HOLDS);
        (broken, path.into_actions().iter().map(|action| format!("{action:?}")).collect())
    });
    let is_seen = |(name, sight): &(&'static str, Sight)| {
        searched.discovery(name).is_some().then_some(*sight)
    };
    Report {
        seen: SIGHTS.iter().filter_map(is_seen).collect(),
        states: searched.unique_state_count(),
        exhausted: counterexample.is_none() && !is_cut.load(Relaxed),
        counterexample,
        took: began.elapsed(),
    }
}

const HOLDS: &str = "every property holds";
const SIGHTS: [(&str, Sight); 4] = [
    ("done", Sight::Done),
    ("used again", Sight::UsedAgain),
    ("older again", Sight::OlderAgain),
    ("asked needlessly", Sight::AskedNeedlessly),
];

/// A model that grows no further once its time is over, and remembers that: the checker's own
/// time-out does not say whether it came to pass, and does not stop a search by one thread. It also
/// holds on to the first counterexample, where the checker keeps the last of a block.
struct Timed<P> {
    protocol: P,
    only: Option<&'static str>,
    end: Instant,
    is_cut: Arc<AtomicBool>,
    is_found: AtomicBool,
}

impl<P: Protocol> Timed<P> {
    fn holds(&self, world: &P::World) -> bool {
        if self.is_found.load(Relaxed) {
            return true;
        }
        let holds = self.protocol.broken(world, self.only).is_none();
        self.is_found.store(!holds, Relaxed);
        holds
    }
}

impl<P: Protocol> Model for Timed<P> {
    type State = P::World;
    type Action = P::Action;

    fn init_states(&self) -> Vec<P::World> {
        vec![self.protocol.beginning()]
    }

    fn actions(&self, world: &P::World, actions: &mut Vec<P::Action>) {
        actions.extend(self.protocol.possible(world));
    }

    fn next_state(&self, world: &P::World, action: P::Action) -> Option<P::World> {
        self.protocol.next(world, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let [done, used_again, older, asked] = SIGHTS.map(|(name, _)| name);
        vec![
            Property::always(HOLDS, Self::holds),
            Property::sometimes(done, |m: &Self, w| m.protocol.sees(w, Sight::Done)),
            Property::sometimes(used_again, |m: &Self, w| m.protocol.sees(w, Sight::UsedAgain)),
            Property::sometimes(older, |m: &Self, w| m.protocol.sees(w, Sight::OlderAgain)),
            Property::sometimes(asked, |m: &Self, w| m.protocol.sees(w, Sight::AskedNeedlessly)),
        ]
    }

    fn within_boundary(&self, _: &P::World) -> bool {
        let is_over = Instant::now() > self.end;
        if is_over {
            self.is_cut.store(true, Relaxed);
        }
        !is_over && !self.is_found.load(Relaxed)
    }
}
