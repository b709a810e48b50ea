//! A device without a terminal: what is typed goes into the program, and its screen is a buffer.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::SystemTime;

use db_to_cloud::{Client, SyncOptions, Timestamp};
use db_to_cloud_notes::sync::{Told, client};
use db_to_cloud_notes::{App, Conflicts, remote};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A device that syncs when the story says so.
pub(crate) struct Device {
    pub(crate) app: App,
    pub(crate) client: Client,
    pub(crate) database: PathBuf,
    name: String,
    remote: PathBuf,
    now: Timestamp,
    told: Sender<Told>,
    news: Receiver<Told>,
    orders: UnboundedReceiver<SyncOptions>,
    size: (u16, u16),
}

/// Waits for what needs a runtime, in stories that have one and in those that have none.
fn finished<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        scope.spawn(|| Runtime::new().unwrap().block_on(work)).join().unwrap()
    })
}

impl Device {
    /// A device with its own database in this folder, and all share `cloud` there.
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let (database, remote) = (folder.join(format!("{name}.db")), folder.join("cloud"));
        let ((told, news), (sender, orders)) = (channel(), unbounded_channel());
        // What a story shows must not hang on how long it takes: from here on it has its own time.
        let now = SystemTime::now().into();
        let app = App::open(&database, sender, now).unwrap();
        let storage = remote::open(remote.to_str().unwrap()).unwrap();
        let client = finished(client(&database, storage, name, told.clone())).unwrap();
        let name = name.to_owned();
        Self { app, client, database, name, remote, now, told, news, orders, size: (80, 14) }
    }

    /// The program ends at this very moment, and is started again.
    pub(crate) fn killed(self) -> Self {
        let folder = self.remote.parent().unwrap().to_owned();
        let name = self.name.clone();
        drop(self);
        Self::new(&folder, &name)
    }

    pub(crate) fn key(&mut self, code: KeyCode) -> &mut Self {
        self.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    pub(crate) fn control(&mut self, c: char) -> &mut Self {
        self.press(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL))
    }

    /// Types a text, key by key.
    pub(crate) fn types(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.key(if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) });
        }
        self
    }

    /// Writes a new note and leaves the editor.
    pub(crate) fn writes(&mut self, text: &str) -> &mut Self {
        self.types("n").types(text).key(KeyCode::Esc)
    }

    fn press(&mut self, key: KeyEvent) -> &mut Self {
        self.app.key(key);
        self
    }

    /// Time passes.
    pub(crate) fn waits(&mut self, seconds: u64) -> &mut Self {
        self.now = Timestamp::from_millis(self.now.as_millis() + 1000 * seconds);
        self.app.tick(self.now);
        self
    }

    /// One sync, as the background makes it; with what the person decided meanwhile.
    pub(crate) async fn sync(&mut self) -> &mut Self {
        let options = self.ordered().last().copied().unwrap_or_default();
        let told = match self.client.sync_with(options).await {
            Ok(report) => {
                Conflicts::open(&self.database).unwrap().forget_settled(&report).unwrap();
                Told::Synced(report)
            }
            Err(error) => Told::Stopped(error),
        };
        self.told.send(told).unwrap();
        self.news.try_iter().for_each(|told| self.app.told(told));
        self.waits(0)
    }

    /// What was ordered since it was asked last.
    pub(crate) fn ordered(&mut self) -> Vec<SyncOptions> {
        std::iter::from_fn(|| self.orders.try_recv().ok()).collect()
    }

    /// What is on the screen.
    pub(crate) fn buffer(&self) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        terminal.draw(|frame| self.app.draw(frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// The lines of the screen.
    pub(crate) fn screen(&self) -> String {
        let buffer = self.buffer();
        let line = |y| (0..self.size.0).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..self.size.1).map(|y| line(y).trim_end().to_owned() + "\n").collect()
    }

    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) -> &mut Self {
        let screen = self.screen();
        assert!(screen.contains(text), "{text:?} is not on the screen of {}:\n{screen}", self.name);
        self
    }

    #[track_caller]
    pub(crate) fn sees_no(&mut self, text: &str) -> &mut Self {
        let screen = self.screen();
        assert!(!screen.contains(text), "{text:?} is on the screen of {}:\n{screen}", self.name);
        self
    }

    /// The texts of all notes, sorted.
    pub(crate) fn notes(&self) -> Vec<String> {
        let notes = db_to_cloud_notes::Store::open(&self.database).unwrap().notes().unwrap();
        let mut texts: Vec<_> = notes.into_iter().map(|note| note.text).collect();
        texts.sort();
        texts
    }
}

/// Two devices that share a folder.
pub(crate) fn pair() -> (tempfile::TempDir, Device, Device) {
    let folder = tempfile::tempdir().unwrap();
    let (laptop, phone) =
        (Device::new(folder.path(), "laptop"), Device::new(folder.path(), "phone"));
    (folder, laptop, phone)
}
