//! What an earlier sync left open, and a storage that is not as it was: writes under way (rule P8), a
//! commit of unknown outcome (rule U7), another storage (rule D1), another branch (rule D3), a storage
//! that is gone (rule D4), a replaced commit (rule W4).

mod attempt;
mod copies;
mod mend;
mod mixed;
mod overwritten;
mod put_back;
mod resync;
mod writes;

use super::Context;
use crate::model::LogPosition;
use crate::model::{Divergence, Error, ErrorKind};
use crate::planted::{Rule, holds};

/// The part of a sync that brings the client state back to what is true.
pub(super) struct Recover<'a> {
    cx: &'a Context<'a>,
}

impl<'a> Recover<'a> {
    pub(super) fn new(cx: &'a Context<'a>) -> Self {
        Self { cx }
    }

    /// Resyncs if the storage diverged and the user, or the weakness of the storage, allows it; any
    /// other error stays one. Uploads of this sync are of no use then.
    pub(super) async fn accept(
        &self,
        position: &mut LogPosition,
        error: Error,
    ) -> Result<(), Error> {
        if error.kind() != ErrorKind::Diverged {
            return Err(error);
        }
        // Where the last entry is as it was, nothing is taken back.
        if error.divergence() == Some(Divergence::Mixed) {
            return self.go_on(position, error).await;
        }
        if self.is_next_overwritten(position).await? {
            return self.resync(position, None).await;
        }
        let overwritten = self.is_overwritten(position).await?;
        if overwritten && self.take_back(position).await? {
            return Ok(());
        }
        if overwritten || !holds(Rule::D1) {
            return self.resync(position, None).await;
        }
        self.go_on(position, error).await
    }

    /// The way on that was chosen, if it fits what was found. A pull reads across a break itself (rule D8).
    async fn go_on(&self, position: &mut LogPosition, error: Error) -> Result<(), Error> {
        let options = &self.cx.options;
        let is_mixed = error.divergence() == Some(Divergence::Mixed);
        // Both ways on join the branches.
        let consents = options.go_on || (options.accept_remote && is_mixed);
        match error.divergence().filter(|_| consents) {
            Some(Divergence::Emptied | Divergence::LogLost) => self.put_back(position).await,
            Some(Divergence::RolledBack { since } | Divergence::Forked { since }) => {
                let common = self.common_of_chain(position, since).await?;
                self.resync(position, Some(common)).await
            }
            Some(Divergence::Mixed) => match self.rejoin_mixed(position).await? {
                true => Ok(()),
                false => Err(error),
            },
            Some(Divergence::Continued) => {
                position.follows.extend(position.genesis);
                self.resync(position, Some(0)).await
            }
            _ if options.accept_remote => self.resync(position, None).await,
            _ => Err(self.name_copies(error).await),
        }
    }
}
