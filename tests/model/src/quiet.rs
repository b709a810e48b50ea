//! When nothing is left to do.

use crate::client::Step;
use crate::config::{Configuration, Rule};
use crate::world::World;

/// Whether a sync of this client would find nothing to do.
pub fn is_synced(config: &Configuration, world: &World, me: usize) -> bool {
    let (durable, storage) = (&world.clients[me].durable, &world.storage);
    if durable.dirty.iter().any(Option::is_some) || durable.attempt.is_some() {
        return false;
    }
    let begins = durable.resyncing || durable.branch.putting_back;
    let waits = begins || durable.reaching.is_some();
    if waits || durable.pending.iter().any(Option::is_some) {
        return false;
    }
    let checks = config.keeps(Rule::Anchor) && config.keeps(Rule::SlotsStay) && durable.v > 0;
    let is_anchored = !checks || storage.commit_at(durable.v) == Some(durable.anchor);
    is_anchored && storage.slot(durable.v + 1).is_none()
}

/// Whether nothing is under way and every device is synced.
pub fn is_quiet(config: &Configuration, world: &World) -> bool {
    let is_done = |me: usize| {
        let client = &world.clients[me];
        let rests = client.step == Step::Idle && client.unqueued == 0;
        client.gone || rests && is_synced(config, world, me)
    };
    world.flights.is_empty() && (0..config.clients).all(is_done)
}
