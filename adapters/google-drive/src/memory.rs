//! What is remembered from one start to the next. All of it can be found out again.

use std::collections::BTreeMap;
use std::sync::Arc;

use db_to_cloud::state::{StateStore, Table, Update};
use serde::{Deserialize, Serialize};

use crate::genesis::Genesis;

/// One record of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// The storage, and which path it was found at.
    pub(crate) genesis: Option<Genesis>,
    pub(crate) place: String,
    /// The newest slot that is known to exist, and the ids of those around it.
    pub(crate) head: u64,
    pub(crate) slots: BTreeMap<u64, String>,
    /// A lock that is not far from the newest.
    pub(crate) lock: Option<(u64, String)>,
    /// The documents of the commit that was sent last: its answer may be lost, and then the same commit
    /// is sent again by another process.
    pub(crate) documents: BTreeMap<String, String>,
}

/// The key of the record.
const KEY: &str = "google-drive";

/// What the state holds; nothing if there is no state or it does not make sense.
pub(crate) async fn load(state: Option<&Arc<dyn StateStore>>, place: &str) -> Remembered {
    let Some(state) = state else { return Remembered::default() };
    let read = state.read(Table::Metadata, &[KEY.to_owned()]).await;
    let record = match read {
        Ok(mut records) => records.pop().flatten(),
        Err(error) => {
            tracing::warn!(%error, "file ids are not remembered: the state cannot be read");
            None
        }
    };
    let remembered = record.and_then(|record| serde_json::from_slice::<Remembered>(&record).ok());
    remembered.filter(|remembered| remembered.place == place).unwrap_or_default()
}

/// Writes the record. A failure costs requests later, nothing else.
pub(crate) async fn save(state: Option<&Arc<dyn StateStore>>, remembered: &Remembered) {
    let (Some(state), Ok(record)) = (state, serde_json::to_vec(remembered)) else { return };
    let record = Update { table: Table::Metadata, key: KEY.to_owned(), value: Some(record) };
    if let Err(error) = state.write(Vec::new(), vec![record]).await {
        tracing::warn!(%error, "file ids are not remembered: the state cannot be written");
    }
}
