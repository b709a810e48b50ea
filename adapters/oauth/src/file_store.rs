//! A sign-in in a private file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use db_to_cloud::{Error, ErrorKind};

use crate::private;
use crate::store::{StoreLock, TokenStore};
use crate::tokens::Tokens;

/// Keeps a sign-in in a file that only its owner may read (0600), in a folder that is made private
/// (0700) if it is not there. A file that others may read is refused. It is replaced as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStore {
    path: PathBuf,
}

/// How long to wait for another process that renews the sign-in: longer than its request may take.
const LONGEST_WAIT: Duration = Duration::from_secs(40);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// More is no sign-in.
const LONGEST: u64 = 64 * 1024;

impl FileStore {
    /// In this file. It need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    async fn blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Path) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Error> {
        let path = self.path.clone();
        let done = tokio::task::spawn_blocking(move || work(&path)).await;
        let done = done.unwrap_or_else(|error| Err(Trouble::Io(io::Error::other(error))));
        done.map_err(|trouble| trouble.at(operation, &self.path))
    }
}

#[async_trait]
impl TokenStore for FileStore {
    async fn load(&self) -> Result<Option<Tokens>, Error> {
        self.blocking("read the sign-in", load).await
    }

    async fn save(&self, tokens: &Tokens) -> Result<(), Error> {
        let tokens = tokens.clone();
        self.blocking("keep the sign-in", move |path| save(path, &tokens)).await
    }

    async fn clear(&self) -> Result<(), Error> {
        self.blocking("forget the sign-in", clear).await
    }

    async fn lock(&self) -> StoreLock {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".lock");
        // Where there can be no lock, as in a folder that is read-only, it goes without.
        let mut options = OpenOptions::new();
        let Ok(file) = private::made(options.create(true).append(true)).open(name) else {
            return StoreLock::nothing();
        };
        let looks = LONGEST_WAIT.as_millis() / BETWEEN_LOOKS.as_millis();
        for _ in 0..looks {
            match file.try_lock() {
                Ok(()) => return StoreLock::of(file),
                Err(fs::TryLockError::WouldBlock) => tokio::time::sleep(BETWEEN_LOOKS).await,
                Err(fs::TryLockError::Error(_)) => return StoreLock::nothing(),
            }
        }
        // Whoever has it was stopped: that must not stop others.
        StoreLock::nothing()
    }

    fn place(&self) -> String {
        format!("{:?}", self.path)
    }
}

/// Why the file cannot be used.
#[derive(Debug)]
enum Trouble {
    Io(io::Error),
    /// With this mode.
    NotPrivate(u32),
    NotTokens,
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Trouble {
    fn at(self, operation: &'static str, path: &Path) -> Error {
        let error = |kind| Error::new(kind, operation).with_key(path.display());
        match self {
            Self::Io(below) => error(ErrorKind::State).with_source(below),
            Self::NotPrivate(mode) => error(ErrorKind::Unauthorized).with_message(format!(
                "others may read or change this file (its mode is {mode:03o}): let nobody else, with \
                 chmod 600, and if others may have read it, sign out and in again"
            )),
            // What is in it is not quoted: it may be secret all the same.
            Self::NotTokens => error(ErrorKind::Unauthorized).with_message(
                "this file holds no sign-in: name another file, or remove it and sign in again",
            ),
        }
    }
}

fn load(path: &Path) -> Result<Option<Tokens>, Trouble> {
    let Some(file) = open(path)? else { return Ok(None) };
    if let Some(mode) = private::is_shared(&file)? {
        return Err(Trouble::NotPrivate(mode));
    }
    parse(&file).map(Some)
}

/// The file; `None` if there is nothing.
fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Ok(file) if !file.metadata()?.is_file() => Err(io::Error::other("this is not a file")),
        file => file.map(Some),
    }
}

fn parse(file: &File) -> Result<Tokens, Trouble> {
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    serde_json::from_slice(&bytes).map_err(|_| Trouble::NotTokens)
}

fn save(path: &Path, tokens: &Tokens) -> Result<(), Trouble> {
    // A link stays, and what it leads to is replaced.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    check_replaceable(path)?;
    let folder = folder(path);
    private::make_folder(folder)?;
    let mut file = tempfile::Builder::new().prefix(&prefix(path)).tempfile_in(folder)?;
    file.write_all(&serde_json::to_vec_pretty(tokens).map_err(io::Error::from)?)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(private::sync(folder)?)
}

/// A file of something else, named by mistake, is not replaced.
fn check_replaceable(path: &Path) -> Result<(), Trouble> {
    match open(path)? {
        None => Ok(()),
        // What a crash of the file system left.
        Some(file) if file.metadata()?.len() == 0 => Ok(()),
        Some(file) => parse(&file).map(drop),
    }
}

fn clear(path: &Path) -> Result<(), Trouble> {
    check_replaceable(path)?;
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = folder(path);
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed?,
    }
    // Halves of writes that were killed hold secrets, too.
    let prefix = prefix(path);
    for entry in folder.read_dir()?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(private::sync(folder)?)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// How the names of half-written files begin.
fn prefix(path: &Path) -> String {
    format!(".{}.new-", path.file_name().unwrap_or_default().to_string_lossy())
}
