//! Pure decisions of the protocol: no input or output, no clock, no lock. The modules of `sync` gather
//! the facts, ask here, and carry out the answer.

mod bases;
mod decide;
mod lineage;
mod plan;
mod remote;
mod selected;

pub(crate) use decide::{Decision, Fact, Facts, Local, Wait, decide};
pub(crate) use lineage::Lineage;
pub(crate) use plan::{Loss, Plan, PlannedWrite, are_many_restored};
pub(crate) use remote::{Relation, RemoteChange};
pub(crate) use selected::{Included, include};
