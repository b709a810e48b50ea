//! `db-to-cloud-notes REMOTE`: notes in the terminal, synced in the background.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime};

use clap::Parser;
use db_to_cloud::{BoxError, ErrorKind};
use db_to_cloud_notes::sync::{self, Told};
use db_to_cloud_notes::{App, remote};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{
    self, DisableBracketedPaste, EnableBracketedPaste, Event, KeyEventKind,
};
use ratatui::crossterm::execute;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Notes in the terminal that sync through storage of your own.
#[derive(Debug, Parser)]
struct Args {
    /// A folder, or s3://bucket/prefix, webdavs://user@host/path, dropbox:/path, gdrive:/path
    remote: String,
    /// The database of this device
    #[arg(long, default_value = "notes.db")]
    database: PathBuf,
    /// The name of this device for the others
    #[arg(long, default_value_t = host())]
    device: String,
}

/// How often the screen looks for news.
const TICK: Duration = Duration::from_millis(50);
/// So long a pause at the end is not noticed.
const SHORT: Duration = Duration::from_millis(300);
/// How long the last sync may take.
const LAST_SYNC: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut cause: Option<&dyn Error> = Some(&*error);
            while let Some(error) = cause {
                #[expect(clippy::print_stderr, reason = "there is no other screen any more")]
                {
                    eprintln!("{error}");
                }
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<(), BoxError> {
    // What is wrong with the URL is said at once; a storage that is away may come back.
    if let Err(error) = remote::open(&args.remote)
        && matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported)
    {
        return Err(error.into());
    }
    let ((told, news), (orders, obeyed)) = (channel(), unbounded_channel());
    let mut app = App::open(&args.database, orders, SystemTime::now().into())?;
    let runtime = tokio::runtime::Runtime::new()?;
    let is_told_to_end = ended_by_signals(&runtime)?;
    let syncing = sync::run(args.database, args.remote, args.device, told, obeyed);
    let syncing = runtime.spawn(syncing);
    let done = in_terminal(&mut app, &news, &is_told_to_end);
    // Without the application no more orders come: the sync ends with a last one.
    drop(app);
    runtime.block_on(last_sync(syncing, &news));
    runtime.shutdown_background();
    done
}

/// Gives the last edits some time to go along. What does not is pushed after the next start.
#[expect(clippy::print_stderr, reason = "the screen is that of the shell again")]
async fn last_sync(mut syncing: JoinHandle<()>, news: &Receiver<Told>) {
    if timeout(SHORT, &mut syncing).await.is_err() {
        eprintln!("syncing the last edits; Ctrl-C leaves them for the next start");
        tokio::select! {
            _ = timeout(LAST_SYNC, syncing) => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    if let Some(Told::Retry(error, _) | Told::Stopped(error)) = news.try_iter().last() {
        eprintln!("saved here, but not synced: {error}");
    }
}

/// The terminal is as before when this returns, also by a panic or a signal.
fn in_terminal(app: &mut App, news: &Receiver<Told>, end: &AtomicBool) -> Result<(), BoxError> {
    let mut terminal = ratatui::try_init()?;
    let done = {
        let _pasting = Pasting::begin();
        show(&mut terminal, app, news, end)
    };
    ratatui::restore();
    Ok(done?)
}

/// The terminal tells what is pasted from what is typed, until this is dropped.
struct Pasting;

impl Pasting {
    fn begin() -> Self {
        // Without it a paste is typed quickly.
        let _ = execute!(std::io::stdout(), EnableBracketedPaste);
        Self
    }
}

impl Drop for Pasting {
    fn drop(&mut self) {
        let _ = execute!(std::io::stdout(), DisableBracketedPaste);
    }
}

fn show(
    terminal: &mut DefaultTerminal,
    app: &mut App,
    news: &Receiver<Told>,
    end: &AtomicBool,
) -> std::io::Result<()> {
    while !app.is_done() && !end.load(Ordering::Relaxed) {
        app.tick(SystemTime::now().into());
        news.try_iter().for_each(|told| app.told(told));
        terminal.draw(|frame| app.draw(frame))?;
        let mut wait = TICK;
        // All that was typed meanwhile is one picture.
        while event::poll(wait)? {
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => app.key(key),
                Event::Paste(text) => app.paste(&text),
                _ => {}
            }
            wait = Duration::ZERO;
        }
    }
    Ok(())
}

/// A flag that is up once a signal asked this program to end.
fn ended_by_signals(runtime: &tokio::runtime::Runtime) -> Result<Arc<AtomicBool>, BoxError> {
    let end = Arc::new(AtomicBool::new(false));
    let _guard = runtime.enter();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let (mut signal, end) = (signal(kind)?, end.clone());
        runtime.spawn(async move {
            signal.recv().await;
            end.store(true, Ordering::Relaxed);
        });
    }
    Ok(end)
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
