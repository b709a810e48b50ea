//! Rules D1 and D3: the storage is not as this device left it, and that was accepted.

use super::Recover;
use crate::model::Error;
use crate::model::{LogCost, LogPosition};

impl Recover<'_> {
    /// Drops the attempt and goes back to the beginning of the log, keeping the index. `common` is the last
    /// entry that both branches of one log are known to have; `None` if it is another log. The pull that
    /// follows deals with what is pending, in this sync or after a stop.
    pub(super) async fn resync(
        &self,
        position: &mut LogPosition,
        common: Option<u64>,
    ) -> Result<(), Error> {
        tracing::warn!(common, "starting over on a storage that diverged");
        let trail = self.cx.trail(position).await?;
        let mut known = trail.entries().iter().filter(|(n, _)| Some(*n) == common);
        let first = position.genesis.filter(|_| common == Some(1));
        let common_commit = known.next().map(|(_, commit)| *commit).or(first);
        *position = LogPosition {
            common_commit,
            generation: position.generation + 1,
            resyncing: true,
            common,
            crossed: Default::default(),
            joining: None,
            version: 0,
            anchor: None,
            before: None,
            pull_target: None,
            genesis: None,
            log: LogCost::default(),
            atomic: None,
            ..position.clone()
        };
        self.start_anew(position).await
    }
}
