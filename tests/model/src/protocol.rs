//! What a search needs of a model: what can happen, and what must hold.

use std::fmt::Debug;
use std::hash::Hash;

/// A protocol with devices, a storage, and trouble.
pub trait Protocol: Clone + Send + Sync + 'static {
    /// The whole world.
    type World: Clone + Debug + Hash + PartialEq + Send + Sync + 'static;
    /// One thing that happens.
    type Action: Clone + Debug + PartialEq + Send + Sync;

    /// The beginning.
    fn beginning(&self) -> Self::World;

    /// All that can happen in a world.
    fn possible(&self, world: &Self::World) -> Vec<Self::Action>;

    /// Lets it happen.
    fn perform(&self, world: &mut Self::World, action: Self::Action);

    /// The first property that does not hold, or the given one if it does not.
    fn broken(&self, world: &Self::World, only: Option<&'static str>) -> Option<&'static str>;

    /// Whether nothing is under way and nobody has anything to do.
    fn is_quiet(&self, world: &Self::World) -> bool;

    /// Whether a search sees here what it is meant to come across.
    fn sees(&self, world: &Self::World, sight: Sight) -> bool;

    /// What follows; none if the action changes nothing.
    fn next(&self, world: &Self::World, action: Self::Action) -> Option<Self::World> {
        let mut next = world.clone();
        self.perform(&mut next, action);
        (next != *world).then_some(next)
    }
}

/// What a search may come across. That it does shows that it did not look past the matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sight {
    /// All users made all their edits, and all is quiet.
    Done,
    /// An upload of a lost race goes into a later commit (U2).
    UsedAgain,
    /// A document is about to be replaced by an older version of it.
    OlderAgain,
    /// The application was asked although one side had nothing that the other lacked.
    AskedNeedlessly,
}
