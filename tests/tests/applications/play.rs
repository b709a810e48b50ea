//! Plays a run and says what went wrong.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use db_to_cloud::memory::{MemoryDatabase, MemoryState};
use db_to_cloud::{Client, DocumentId, RemoteWins};
use db_to_cloud_fs::FsAdapter;

use crate::application::Application;
use crate::device::Device;
use crate::moments::{Happens, When};
use crate::oracle::Oracle;
use crate::plan::{Editors, Plan, Step};

/// Plays a run in these folders, one a device; the storage is in another one.
pub(crate) async fn play<A: Application>(
    app: &A,
    plan: &Plan<A::Op>,
    homes: &[PathBuf],
    cloud: &Path,
    played: &mut Played,
) -> Result<(), String> {
    let mut play = Play::new(app, plan, homes, cloud).await;
    for (i, step) in plan.steps.iter().enumerate() {
        app.note(&format!("{}. {step:?}", i + 1));
        let done = play.step(step).await;
        let done = done.and_then(|()| app.complaint().map_or(Ok(()), Err));
        done.map_err(|error| format!("step {}: {error}", i + 1))?;
    }
    played.runs += 1;
    played.questions += play.devices.iter().map(|d| d.questions.all().len()).sum::<usize>();
    played.deferred += play.deferred;
    played.upgrades += play.upgrades;
    Ok(())
}

/// What was met in the runs that went well: tests that meet nothing prove nothing.
#[derive(Debug, Default)]
pub(crate) struct Played {
    pub(crate) runs: usize,
    /// Conflicts that a resolver was asked about.
    pub(crate) questions: usize,
    /// Documents that could not be synced in the end, for a good reason.
    pub(crate) deferred: usize,
    /// Steps of devices to later versions.
    pub(crate) upgrades: usize,
}

pub(crate) struct Play<A> {
    pub(crate) app: A,
    pub(crate) devices: Vec<Device<A>>,
    pub(crate) oracle: Arc<Mutex<Oracle>>,
    /// A device of its own, in memory, that edits nothing: what it has is what the storage holds.
    pub(crate) observer: (MemoryDatabase, Client),
    pub(crate) editors: Editors,
    /// The one that edited since the last rest.
    pub(crate) editor: Option<usize>,
    pub(crate) deferred: usize,
    pub(crate) upgrades: usize,
    /// The earliest version that a running program had when another one upgraded its file, since the last
    /// rest.
    pub(crate) unseen: Option<usize>,
}

impl<A: Application> Play<A> {
    async fn new(app: &A, plan: &Plan<A::Op>, homes: &[PathBuf], cloud: &Path) -> Self {
        app.begin();
        let mut devices = Vec::new();
        for (i, home) in homes.iter().enumerate().take(plan.devices) {
            devices.push(Device::new(app, format!("device {i}"), home.clone(), cloud).await);
        }
        let documents = MemoryDatabase::new();
        let observer = Client::builder(
            Arc::new(FsAdapter::open(cloud).unwrap()),
            Arc::new(documents.clone()),
            Arc::new(MemoryState::new()),
            Arc::new(RemoteWins),
        );
        let observer = (documents, observer.with_device("observer").build());
        let (app, editors) = (app.clone(), plan.editors);
        let (oracle, editor) = (Arc::default(), None);
        let (deferred, upgrades, unseen) = (0, 0, None);
        Self { app, devices, oracle, observer, editors, editor, deferred, upgrades, unseen }
    }

    async fn step(&mut self, step: &Step<A::Op>) -> Result<(), String> {
        match step {
            Step::Edit { on, op } => self.edit(*on, op)(),
            Step::Sync { on } => {
                self.devices[*on].sync().await?;
            }
            Step::Stopped { on, at } => {
                self.devices[*on].moments.set(*at, Happens::Stop);
                self.devices[*on].sync_until_stopped().await?;
            }
            Step::Failing { on, at } => {
                self.devices[*on].moments.set(*at, Happens::Fail);
                let _ = self.devices[*on].try_sync().await?;
                self.devices[*on].moments.clear();
            }
            Step::Dropped { on, polls } => self.devices[*on].sync_dropped_after(*polls).await?,
            Step::During { on, at, editor, op } => {
                let edit = Box::new(self.edit(*editor, op));
                self.devices[*on].moments.set(*at, Happens::Edit(edit));
                let synced = self.devices[*on].sync().await;
                self.devices[*on].moments.clear();
                synced?;
            }
            Step::Race { on, n, text } => {
                let race = Box::new(self.race(*on, text));
                self.devices[*on].moments.set(When::Apply(*n), Happens::Race(race));
                let synced = self.devices[*on].sync().await;
                self.devices[*on].moments.clear();
                synced?;
            }
            Step::Upgrade { on } => self.upgrade(*on).await,
            Step::UpgradeAll => self.upgrade_all().await?,
            Step::UpgradeDuring { on, at, who } => {
                if self.can_upgrade(*who) {
                    let upgrade = Box::new(self.upgrading(*who));
                    self.devices[*on].moments.set(*at, Happens::Edit(upgrade));
                }
                let synced = self.devices[*on].sync().await;
                self.devices[*on].moments.clear();
                self.devices[*who].restart().await;
                synced?;
            }
            Step::Rest => self.rest(false).await?,
            Step::End => self.rest(true).await?,
        }
        Ok(())
    }

    /// An operation that is ready to be made.
    fn edit(&mut self, on: usize, op: &A::Op) -> impl FnOnce() + Send + 'static {
        self.editor = Some(on);
        let (edit, op) = (self.editing(on), op.clone());
        move || edit(&op)
    }

    /// An edit of a document that is not known yet.
    fn race(&mut self, on: usize, text: &str) -> impl FnOnce(&DocumentId) + Send + 'static {
        self.editor = Some(on);
        let (edit, app, text) = (self.editing(on), self.app.clone(), text.to_owned());
        move |id| edit(&app.edit_of(id, &text))
    }

    fn editing(&self, on: usize) -> impl FnOnce(&A::Op) + Send + 'static {
        let (app, oracle) = (self.app.clone(), self.oracle.clone());
        let home = self.devices[on].home().to_owned();
        move |op| {
            let before = app.read(&home);
            app.make(&home, op);
            let after = app.read(&home);
            let mut oracle = oracle.lock().unwrap_or_else(PoisonError::into_inner);
            oracle.edited(&app, on, &before, &after);
        }
    }
}
