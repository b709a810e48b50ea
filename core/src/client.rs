//! The client operations of the specification: Sync, QueueChange, MetadataRead.

mod builder;
mod status;
mod watch;

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;

use futures::future::select;

pub use builder::ClientBuilder;
pub use status::{LockAdmin, Status};
pub use watch::{Cause, Watch, WatchOptions, Watched};

use crate::local::state::StateStore;
use crate::local::{Database, Resolver};
use crate::model::{DocumentId, Error, ErrorKind, RepairPlan, Report, Revision};
use crate::storage::Adapter;
use crate::sync::{Preview, Purpose, Session, Shared, SyncOptions};

/// One device's side of the sync: it joins the application's [`Database`], the storage behind an
/// [`Adapter`] and the durable [`StateStore`] of this device at this storage.
///
/// Cheap to clone; the clones are one client.
///
/// ```
/// use std::sync::Arc;
/// use db_to_cloud::{Client, RemoteWins, memory::*};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), db_to_cloud::Error> {
/// let cloud = MemoryAdapter::new();
/// let (laptop, phone) = (MemoryDatabase::new(), MemoryDatabase::new());
/// let client = |documents: &MemoryDatabase| {
///     let state = Arc::new(MemoryState::new());
///     Client::builder(Arc::new(cloud.clone()), Arc::new(documents.clone()), state, Arc::new(RemoteWins))
///         .build()
/// };
/// let (on_laptop, on_phone) = (client(&laptop), client(&phone));
///
/// laptop.save("greeting", "hello");
/// on_laptop.queue_change(&"greeting".into()).await?;
/// on_laptop.sync().await?;
///
/// assert_eq!(on_phone.sync().await?.pulled, 1);
/// assert_eq!(phone.documents()[&"greeting".into()].bytes, "hello");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Shared>);

impl Client {
    /// A client of this storage for these documents. `state` belongs to this device, this database
    /// and this storage alone. There is no default resolver: who wins a conflict is the
    /// application's choice.
    pub fn builder(
        adapter: Arc<dyn Adapter>,
        database: Arc<dyn Database>,
        state: Arc<dyn StateStore>,
        resolver: Arc<dyn Resolver>,
    ) -> ClientBuilder {
        ClientBuilder::new(adapter, database, state, resolver)
    }

    /// Sync: pulls what other devices committed, then commits what was edited here.
    ///
    /// # Guarantees
    /// - It may be stopped anywhere, by dropping the future or by a crash: nothing is lost, and the
    ///   next sync goes on.
    /// - An edit made meanwhile is never overwritten; it is pushed now or next time.
    /// - Documents that cannot be synced are in [`Report::deferred`]; the others are synced.
    ///
    /// # Errors
    /// [`Error::kind`] says what to do. After any error it is safe to sync again.
    pub async fn sync(&self) -> Result<Report, Error> {
        self.sync_with(SyncOptions::default()).await
    }

    /// [`Client::sync`] with decisions of the user's.
    ///
    /// # Errors
    /// As [`Client::sync`].
    pub async fn sync_with(&self, options: SyncOptions) -> Result<Report, Error> {
        self.sync_until(options, pending()).await
    }

    /// [`Client::sync_with`], which ends early when `stop` is done: for a process that is asked to
    /// end. Dropping the sync is as safe, but leaves its lock behind, for which other devices then
    /// wait up to 5 minutes. An ordered end gives the lock back; it takes a few seconds, 15 at the
    /// most: up to 10 for a write that must not meet another holder of the lock, up to 5 for the
    /// release.
    ///
    /// # Errors
    /// As [`Client::sync`]; and [`ErrorKind::Stopped`] if `stop` was done before the sync. The next
    /// sync goes on.
    pub async fn sync_until(
        &self,
        options: SyncOptions,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<Report, Error> {
        self.run(options, Purpose::Sync, stop).await
    }

    /// A sync; of a watch, it need not see its anchor each time.
    pub(crate) async fn run(
        &self,
        options: SyncOptions,
        purpose: Purpose,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<Report, Error> {
        let inner = &self.0;
        let stopped = async {
            stop.await;
            Error::new(ErrorKind::Stopped, "sync")
                .with_message("nothing is lost: sync again to go on")
        };
        let out_of_time = async {
            let Some(limit) = inner.config.time_limit else { return pending().await };
            inner.environment.sleep(limit).await;
            Error::new(ErrorKind::TimedOut, "sync")
                .with_message(format!("not done within {} s: sync again to go on", limit.as_secs()))
        };
        let end = async { select(pin!(stopped), pin!(out_of_time)).await.factor_first().0 };
        Session::run(inner, options, purpose, end).await
    }

    /// What a sync would do now, without doing it: documents, queue and storage stay as they are.
    ///
    /// # Errors
    /// As [`Client::sync`].
    pub async fn preview(&self) -> Result<Preview, Error> {
        Session::preview(&self.0).await
    }

    /// What can be done about entries of the log that are damaged, so that a sync of this device or of
    /// another one ends with [`ErrorKind::Corrupt`] (rule D5). It reads the log after the newest snapshot
    /// and that snapshot, and changes nothing.
    ///
    /// # Errors
    /// As [`Client::sync`], but for damage that can be repaired; and [`ErrorKind::Corrupt`] for damage
    /// that no device can repair.
    pub async fn repair_plan(&self) -> Result<RepairPlan, Error> {
        Session::repair_plan(&self.0).await
    }

    /// Does what the plan says, under the lock of the storage, if that is still what is to be done. Steps
    /// that are for another device are left out. Let a person agree to the plan before.
    ///
    /// It waits for the lock; and 60 seconds before it replaces an entry, unless the storage's own create is
    /// atomic: an entry that changes meanwhile is being written. It may be dropped anywhere; then the
    /// lock stays behind for up to 5 minutes, and the next plan has what is left to do.
    ///
    /// # Errors
    /// - [`ErrorKind::Busy`] if the storage has changed since the plan was made. Nothing was done.
    /// - As [`Client::sync`].
    pub async fn repair(&self, plan: &RepairPlan) -> Result<(), Error> {
        self.repair_until(plan, pending()).await
    }

    /// [`Client::repair`], which ends early when `stop` is done, and gives the lock back, as
    /// [`Client::sync_until`] does.
    ///
    /// # Errors
    /// As [`Client::repair`]; and [`ErrorKind::Stopped`] if `stop` was done before the repair. The next plan
    /// has what is left to do.
    pub async fn repair_until(
        &self,
        plan: &RepairPlan,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<(), Error> {
        let stopped = async {
            stop.await;
            Error::new(ErrorKind::Stopped, "repair")
                .with_message("nothing is lost: repair again to go on")
        };
        Session::repair(&self.0, plan, stopped).await
    }

    /// QueueChange: a document was edited or deleted here. Its content is read when it is
    /// pushed. Call it in the transaction of the edit or after it; if a crash comes in between, the
    /// comparison at the next start finds the edit.
    ///
    /// # Errors
    /// If the client state fails: the edit is then found at the next start.
    pub async fn queue_change(&self, id: &DocumentId) -> Result<(), Error> {
        self.queue_changes(std::slice::from_ref(id)).await
    }

    /// QueueChange for several documents in one step.
    ///
    /// # Errors
    /// As [`Client::queue_change`].
    pub async fn queue_changes(&self, ids: &[DocumentId]) -> Result<(), Error> {
        self.0.queue_changes(ids).await?;
        self.0.edits.note();
        Ok(())
    }

    /// QueueChange for an application that knows which revision the edit was made on. If the last
    /// synced version has another, the next sync puts the edit to the resolver as a conflict.
    ///
    /// # Errors
    /// As [`Client::queue_change`].
    pub async fn queue_change_of(&self, id: &DocumentId, edited: &Revision) -> Result<(), Error> {
        self.0.queue_change_of(id, edited).await?;
        self.0.edits.note();
        Ok(())
    }

    /// Watches for changes of other devices and for edits here, to sync whenever there is something to
    /// sync. Nothing happens before [`Watch::changed`] or [`Watch::sync`] is awaited.
    pub fn watch(&self, options: WatchOptions) -> Watch {
        Watch::new(self.clone(), options)
    }

    /// Waits until another device may have committed something, for at most `timeout`;
    /// [`Wait::Unsupported`](crate::Wait::Unsupported) comes at once and means: poll. A [`Watch`]
    /// does that, and more.
    ///
    /// # Errors
    /// If the storage cannot be asked.
    pub async fn wait_for_change(
        &self,
        timeout: std::time::Duration,
    ) -> Result<crate::Wait, Error> {
        self.0.storage.wait_for_change(timeout).await
    }

    /// Compares all documents with what was last synced at the next sync, as after a start. A
    /// [`Watch`] syncs soon.
    pub fn compare_at_next_sync(&self) {
        self.0.set_compared(false);
        self.0.edits.note();
    }

    /// Compares all documents with what was last synced, now and without a request of the storage
    /// (rule C4): what differs is queued. Answers whether anything was; a [`Watch`] then syncs soon.
    /// For an application whose documents are edited by others, such as files.
    ///
    /// # Errors
    /// - [`ErrorKind::Busy`] if a sync is running on the same state.
    /// - [`ErrorKind::TooManyDeletes`] as for a sync; nothing is queued as a delete.
    /// - If the application's database or the client state fails.
    pub async fn compare(&self) -> Result<bool, Error> {
        let queued = Session::scan_now(&self.0).await?;
        if queued {
            self.0.edits.note();
        }
        Ok(queued)
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("device", &self.0.config.device).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{MemoryAdapter, MemoryDatabase, MemoryState};

    fn is_send<T: Send>(value: T) -> T {
        value
    }

    #[tokio::test]
    async fn a_sync_may_run_on_any_thread_of_any_executor() {
        let (adapter, database) = (MemoryAdapter::new(), MemoryDatabase::new());
        let (state, resolver) = (MemoryState::new(), crate::RemoteWins);
        let client = Client::builder(
            Arc::new(adapter),
            Arc::new(database),
            Arc::new(state),
            Arc::new(resolver),
        )
        .build();
        is_send(client.sync()).await.unwrap();
        is_send(client.preview()).await.unwrap();
        is_send(client.queue_change(&1.into())).await.unwrap();
    }
}
