//! Where the password of a user comes from: never from the command line, which others see.

use std::env::{self, VarError};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::failure::Failure;
use crate::sys::{Hidden, is_private};
use crate::{ask, output};

const PASSWORD: &str = "WEBDAV_PASSWORD";
const PASSWORD_FILE: &str = "WEBDAV_PASSWORD_FILE";

/// The password of a user: from this file, else from the environment, else from the terminal.
pub(crate) async fn of(user: &str, file: Option<&Path>) -> Result<String, Failure> {
    if let Some(file) = file {
        return read(file);
    }
    if let Some(password) = variable(PASSWORD)? {
        return Ok(password);
    }
    if let Some(file) = env::var_os(PASSWORD_FILE).filter(|file| !file.is_empty()) {
        return read(Path::new(&file));
    }
    let password = match ask::is_possible() {
        true => ask_for(user).await?,
        false => None,
    };
    password.ok_or_else(|| Failure::NoPassword(user.to_owned()))
}

/// What a variable of the environment says, if anything.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Failure> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Failure::Usage(format!("{name} is not text"))),
    }
}

/// The only line of a file that nobody else may read.
fn read(path: &Path) -> Result<String, Failure> {
    let failed = || Failure::io(format!("read the password from {path:?}"));
    let mut file = File::open(path).map_err(failed())?;
    if !is_private(&file.metadata().map_err(failed())?) {
        return Err(Failure::NotPrivate(path.to_owned()));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed())?;
    let line = without_end(&text);
    if line.is_empty() || line.contains(['\n', '\r']) {
        return Err(Failure::NotAPassword(path.to_owned()));
    }
    Ok(line.to_owned())
}

/// What is typed on the terminal, unseen.
async fn ask_for(user: &str) -> Result<Option<String>, Failure> {
    // Restored also if the question is interrupted.
    let hidden = Hidden::hide()
        .map(Some)
        .map(Unseen)
        .map_err(Failure::io("hide what is typed on the terminal"))?;
    let line = ask::line(format!("password of {user}: ")).await;
    drop(hidden);
    Ok(line.map(|line| without_end(&line).to_owned()).filter(|line| !line.is_empty()))
}

fn without_end(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// What is typed does not show until this is dropped.
struct Unseen(Option<Hidden>);

impl Drop for Unseen {
    fn drop(&mut self) {
        self.0 = None;
        // The end of the line was hidden, too.
        output::note("");
    }
}
