//! A `sync --watch` that runs beside the test.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::world::World;

/// Whatever is waited for takes seconds; a busy machine may take longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Ends with the test.
pub(crate) struct Watcher {
    child: Child,
    stdout: Lines,
    stderr: Lines,
    /// They read both to their end.
    readers: Vec<JoinHandle<()>>,
}

type Lines = Arc<Mutex<Vec<String>>>;

/// Waits until it is so.
#[track_caller]
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < PATIENCE, "it does not come to this: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

impl Watcher {
    /// Starts to watch a device's folder, and waits for the first sync.
    #[track_caller]
    pub(crate) fn start(world: &World, device: &str, more: &[&str]) -> Self {
        let watcher = Self::launch(world, device, more);
        until("a first sync", || !watcher.lines().is_empty());
        watcher
    }

    /// The same without waiting.
    pub(crate) fn launch(world: &World, device: &str, more: &[&str]) -> Self {
        let line = ["sync", device, world.cloud(), "--watch", "--device", device, "--json"];
        Self::run(&mut hearing(&world.command(line.iter().chain(more))))
    }

    /// Runs any command that watches.
    pub(crate) fn run(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, out) = collect(child.stdout.take().unwrap());
        let (stderr, err) = collect(child.stderr.take().unwrap());
        Self { child, stdout, stderr, readers: vec![out, err] }
    }

    /// What it printed, line by line.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let lines = self.stdout.lock().unwrap();
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What it told people.
    pub(crate) fn told(&self) -> String {
        self.stderr.lock().unwrap().join("\n")
    }

    /// How often it told this.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.told().matches(text).count()
    }

    /// The sum of one number over all lines.
    pub(crate) fn sum(&self, key: &str) -> u64 {
        self.lines().iter().filter_map(|line| line[key].as_u64()).sum()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The exit code, once it has ended and all that it told was read; none if it was killed.
    #[track_caller]
    pub(crate) fn end(&mut self) -> Option<i32> {
        let mut code = None;
        until("its end", || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        code.and_then(|status| status.code())
    }
}

/// The same command, which hears all signals: whoever runs the tests may ignore some, as `nohup` does,
/// and would bequeath that.
fn hearing(command: &Command) -> Command {
    let mut heard = match cfg!(target_os = "linux") {
        true => Command::new("env"),
        false => Command::new(command.get_program()),
    };
    if cfg!(target_os = "linux") {
        heard.arg("--default-signal").arg(command.get_program());
    }
    heard.args(command.get_args()).current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => heard.env(name, value),
            None => heard.env_remove(name),
        };
    }
    heard
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(output: impl Read + Send + 'static) -> (Lines, JoinHandle<()>) {
    let lines = Lines::default();
    let collected = lines.clone();
    let reader = thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            collected.lock().unwrap().push(line);
        }
    });
    (lines, reader)
}
