//! Windows.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, ctrl_break, ctrl_c, ctrl_close};
use winapi_util::console::{mode, set_mode};
use winapi_util::file::information;
use winapi_util::{Handle, HandleRef};

const ENABLE_ECHO_INPUT: u32 = 0x4;

/// What asks a command to end.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: CtrlC,
    terminate: CtrlBreak,
    /// The window is closed: some seconds are left.
    hang_up: CtrlClose,
}

impl Signals {
    /// From now on they do not end the process by themselves.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { interrupt: ctrl_c()?, terminate: ctrl_break()?, hang_up: ctrl_close()? })
    }

    /// Returns when there is another one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

/// A console that does not show what is typed, until it is dropped.
pub(crate) struct Hidden(u32);

impl Hidden {
    pub(crate) fn hide() -> io::Result<Self> {
        let before = mode(HandleRef::stdin())?;
        set_mode(HandleRef::stdin(), before & !ENABLE_ECHO_INPUT)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // If the console is gone there is nothing to restore.
        let _ = set_mode(HandleRef::stdin(), self.0);
    }
}

pub(crate) fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

/// Volume and number of what a path leads to.
pub(crate) fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = information(Handle::from_path_any(path).ok()?).ok()?;
    Some((found.volume_serial_number(), found.file_index()))
}

/// A file has no permission bits here, but the access list of the folder that it was made in.
pub(crate) fn is_private(_: &Metadata) -> bool {
    true
}

/// A name or path of these bytes; `None` if they are no text.
pub(crate) fn os_string(bytes: Vec<u8>) -> Option<OsString> {
    String::from_utf8(bytes).ok().map(OsString::from)
}

/// The path that an absolute path of a `file` URL stands for: `C:/notes` of `file:///C:/notes`.
pub(crate) fn url_path(path: OsString) -> PathBuf {
    let drive = path.to_str().and_then(|path| path.strip_prefix('/'));
    let drive = drive.filter(|path| path.as_bytes().get(1) == Some(&b':'));
    drive.map_or_else(|| PathBuf::from(&path), PathBuf::from)
}
