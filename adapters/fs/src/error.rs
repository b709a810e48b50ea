//! What went wrong, and what it means to the core.

use std::io;

use db_to_cloud::{Effect, Error, ErrorKind};

/// What can be copied of an error of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// The number that the system gave it.
    Number(i32),
    /// The standard library made it, as after a write of zero bytes.
    Kind(io::ErrorKind),
}

impl Code {
    fn of(error: &io::Error) -> Self {
        error.raw_os_error().map_or(Self::Kind(error.kind()), Self::Number)
    }

    fn error(self) -> io::Error {
        match self {
            Self::Number(number) => io::Error::from_raw_os_error(number),
            Self::Kind(kind) => kind.into(),
        }
    }
}

/// A failure below the trait; [`Failure::at`] makes the public error of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// A system call failed. `effect` is what it leaves behind.
    #[error("could not {action}")]
    System { action: &'static str, code: Code, effect: Effect },
    /// The root folder cannot be found. Never to be taken for a missing object.
    #[error("the folder is not there; is its drive mounted")]
    RootGone,
    /// The root folder is there, but it is not the one that was opened: `.tmp` is missing.
    #[error(
        "the folder was emptied, or another drive is mounted here: its folder .tmp is missing; \
         open the storage again if this is right"
    )]
    RootReplaced,
    /// What has the name of an object is a symbolic link, a folder, a device.
    #[error("there is a symbolic link, folder or device where a file should be; remove it")]
    NotAFile,
    /// What has the name of a folder is a symbolic link or a file.
    #[error("there is a symbolic link or file where a folder should be; remove it")]
    NotAFolder,
    /// Somebody else wrote to the file in place while it was read.
    #[error("the file changed while it was read")]
    Changing,
    #[error("this file system cannot create a file exclusively")]
    NoExclusiveCreate,
    #[error("call it within a tokio runtime")]
    NoRuntime,
    #[error("the tokio runtime is shutting down")]
    RuntimeStopped,
}

impl Failure {
    /// A failed call of the system that left nothing behind.
    pub(crate) fn io(action: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| Self::System { action, code: Code::of(&error), effect: Effect::None }
    }

    /// The write may have happened all the same.
    pub(crate) fn with_unknown_effect(mut self) -> Self {
        if let Self::System { effect, .. } = &mut self {
            *effect = Effect::Unknown;
        }
        self
    }

    /// Whether nothing can be written now, while what is there may be readable.
    pub(crate) fn forbids_writing(&self) -> bool {
        matches!(self.kind(), ErrorKind::Forbidden | ErrorKind::Full)
    }

    /// The public error of this operation on this key.
    pub(crate) fn at(self, operation: &'static str, key: impl std::fmt::Display) -> Error {
        let effect = match self {
            Self::System { effect, .. } => effect,
            Self::RuntimeStopped => Effect::Unknown,
            _ => Effect::None,
        };
        let error = Error::new(self.kind(), operation)
            .with_key(key)
            .with_effect(effect)
            .with_message(self.to_string());
        match self {
            Self::System { code, .. } => error.with_source(code.error()),
            _ => error,
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::System { code, .. } => kind(&code.error()),
            Self::RootGone | Self::RootReplaced | Self::Changing | Self::RuntimeStopped => {
                ErrorKind::Unavailable
            }
            Self::NotAFile | Self::NotAFolder => ErrorKind::Corrupt,
            Self::NoExclusiveCreate => ErrorKind::Unsupported,
            Self::NoRuntime => ErrorKind::InvalidInput,
        }
    }
}

/// What an error of the operating system means. That a *file* is missing is no error and never
/// comes here.
fn kind(error: &io::Error) -> ErrorKind {
    // The standard library has no stable name for ELOOP.
    #[cfg(unix)]
    if rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP) {
        return ErrorKind::Corrupt;
    }
    match error.kind() {
        // EPERM is also what immutable files and sandboxes answer.
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Forbidden,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Full,
        io::ErrorKind::TimedOut => ErrorKind::TimedOut,
        io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => ErrorKind::Corrupt,
        // FAT takes no file beyond 4 GiB; eCryptfs no name beyond 143 bytes; EXDEV is a folder
        // that is a mount of its own; EINVAL a name that the file system forbids.
        io::ErrorKind::FileTooLarge
        | io::ErrorKind::InvalidFilename
        | io::ErrorKind::CrossesDevices
        | io::ErrorKind::TooManyLinks
        | io::ErrorKind::Unsupported
        | io::ErrorKind::InvalidInput => ErrorKind::Unsupported,
        // EIO, ESTALE, ENODEV, EHOSTDOWN, EMFILE …: a drive pulled out, a server away, too busy.
        _ => ErrorKind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn each_error_of_the_system_says_what_to_do() {
        use rustix::io::Errno;
        let expected = [
            (Errno::ACCESS, ErrorKind::Forbidden),
            (Errno::PERM, ErrorKind::Forbidden),
            (Errno::ROFS, ErrorKind::Forbidden),
            (Errno::NOSPC, ErrorKind::Full),
            (Errno::DQUOT, ErrorKind::Full),
            (Errno::TIMEDOUT, ErrorKind::TimedOut),
            (Errno::NOTDIR, ErrorKind::Corrupt),
            (Errno::ISDIR, ErrorKind::Corrupt),
            (Errno::LOOP, ErrorKind::Corrupt),
            (Errno::FBIG, ErrorKind::Unsupported),
            (Errno::NAMETOOLONG, ErrorKind::Unsupported),
            (Errno::XDEV, ErrorKind::Unsupported),
            (Errno::OPNOTSUPP, ErrorKind::Unsupported),
            (Errno::NOSYS, ErrorKind::Unsupported),
            (Errno::INVAL, ErrorKind::Unsupported),
            (Errno::IO, ErrorKind::Unavailable),
            (Errno::STALE, ErrorKind::Unavailable),
            (Errno::NODEV, ErrorKind::Unavailable),
            (Errno::NOENT, ErrorKind::Unavailable),
            (Errno::MFILE, ErrorKind::Unavailable),
            (Errno::HOSTDOWN, ErrorKind::Unavailable),
        ];
        for (errno, want) in expected {
            assert_eq!(kind(&io::Error::from(errno)), want, "{errno:?}");
        }
    }

    #[test]
    fn the_text_names_the_step_and_the_source_follows() {
        let error =
            Failure::io("write the file")(io::ErrorKind::StorageFull.into()).at("put", "docs/a");
        let text = "put \"docs/a\": storage full: could not write the file";
        assert_eq!(error.to_string(), text);
        assert_eq!(error.effect(), Effect::None);
        assert!(
            std::error::Error::source(&error).unwrap().to_string().contains("no storage space")
        );
    }

    #[test]
    fn a_failure_after_the_name_was_given_is_unknown() {
        let failure =
            Failure::io("sync the folder")(io::ErrorKind::StorageFull.into()).with_unknown_effect();
        assert_eq!(failure.at("put", "docs/a").effect(), Effect::Unknown);
    }
}
