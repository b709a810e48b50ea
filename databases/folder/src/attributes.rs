//! What is said of a file beside its content: who may not use it, and whether it is executable.

use std::io;

use db_to_cloud::Attributes;

use crate::limbo::{NEW, random};
use crate::sys::{self, Dir};

/// `true`: neither group nor others may do anything with the file. `"others"`: others may not.
const PRIVATE: &str = "private";
const OTHERS: &str = "others";
/// Its owner may execute it.
const EXECUTABLE: &str = "executable";

/// Whether a file system keeps permission bits. FAT shows the same ones for each file, as it was mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bits {
    Kept,
    Shown,
    /// It could not be tried out, as nothing can be written.
    Unknown,
}

impl Bits {
    /// Tries it out in this folder.
    pub(crate) fn find(folder: &Dir) -> Self {
        match are_kept(folder) {
            Ok(true) => Self::Kept,
            Ok(false) => Self::Shown,
            Err(_) => Self::Unknown,
        }
    }

    /// What the permission bits of a file say. An attribute that is not mentioned stays as another device
    /// said.
    pub(crate) fn attributes(self, mode: u32) -> Attributes {
        let said = Attributes::default();
        let private = match (mode & 0o077, mode & 0o007) {
            (0, _) => Some(said.clone().with(PRIVATE, true)),
            (_, 0) => Some(said.clone().with(PRIVATE, OTHERS)),
            _ => None,
        };
        match self {
            Self::Kept => private
                .unwrap_or_else(|| said.with(PRIVATE, None::<bool>))
                .with(EXECUTABLE, (mode & 0o100 != 0).then_some(true)),
            Self::Unknown => private.unwrap_or(said),
            Self::Shown => said,
        }
    }
}

fn are_kept(folder: &Dir) -> io::Result<bool> {
    let name = format!("{NEW}{}", random()?);
    let file = folder.create_new(&name, 0o600)?;
    let keeps = |mode| -> io::Result<bool> {
        // A file system without bits may refuse it.
        let is_set = sys::set_mode(&file, mode).is_ok();
        Ok(is_set && folder.facts(&name)?.mode & 0o777 == mode)
    };
    let kept = keeps(0o600).and_then(|kept| Ok(kept && keeps(0o700)?));
    folder.remove_file(&name)?;
    kept
}

/// What a version says of the permission bits of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The bits that the file may have at most.
    most: u32,
    /// `None`: nothing is said.
    executable: Option<bool>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { most: 0o777, executable: None }
    }
}

impl Wanted {
    pub(crate) fn of(attributes: &Attributes) -> Self {
        let executable = attributes.get(EXECUTABLE).map(|_| attributes.is(EXECUTABLE));
        let said = attributes.get(PRIVATE).and_then(|value| value.as_str());
        let most = match (attributes.is(PRIVATE), said) {
            (true, _) => 0o700,
            (false, Some(OTHERS)) => 0o770,
            (false, _) => 0o777,
        };
        Self { most, executable }
    }

    /// Whether it is said to be executable.
    pub(crate) fn is_executable(self) -> bool {
        self.executable == Some(true)
    }

    /// The bits of a new file that only its owner may use, whatever the umask; `None` if it is no such file.
    pub(crate) fn private(self) -> Option<u32> {
        (self.most == 0o700).then(|| self.upon(0o600))
    }

    /// The bits of any other new file, less those of the umask.
    pub(crate) fn usual(self) -> u32 {
        let bits = if self.is_executable() { 0o777 } else { 0o666 };
        bits & self.most
    }

    /// The bits of a file that had these: nobody gets more rights by another device, but for whoever may
    /// read an executable file.
    pub(crate) fn upon(self, mode: u32) -> u32 {
        let mode = mode & self.most;
        match self.executable {
            Some(true) => mode | (mode & 0o444) >> 2,
            Some(false) => mode & !0o111,
            None => mode,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_of_a_file_are_said_only_where_they_are_its_own() {
        let said = |bits: Bits, mode| {
            let wanted = Wanted::of(&bits.attributes(mode));
            (wanted.most, wanted.executable)
        };
        assert_eq!(said(Bits::Kept, 0o644), (0o777, Some(false)));
        assert_eq!(said(Bits::Kept, 0o600), (0o700, Some(false)));
        assert_eq!(said(Bits::Kept, 0o400), (0o700, Some(false)));
        assert_eq!(said(Bits::Kept, 0o755), (0o777, Some(true)));
        assert_eq!(said(Bits::Kept, 0o700), (0o700, Some(true)));
        assert_eq!(said(Bits::Kept, 0o640), (0o770, Some(false)));
        assert_eq!(said(Bits::Kept, 0o604), (0o777, Some(false)));
        for mode in [0o600, 0o644, 0o755, 0o777] {
            assert!(Bits::Shown.attributes(mode).is_empty());
        }
        assert_eq!(said(Bits::Unknown, 0o700), (0o700, None));
        assert_eq!(said(Bits::Unknown, 0o750), (0o770, None));
        assert!(Bits::Unknown.attributes(0o755).is_empty());
    }

    #[test]
    fn a_file_gets_no_more_rights_than_to_be_executed_by_its_readers() {
        let upon = |most, executable, mode| Wanted { most, executable }.upon(mode);
        assert_eq!(upon(0o777, None, 0o640), 0o640);
        assert_eq!(upon(0o700, None, 0o664), 0o600);
        assert_eq!(upon(0o770, None, 0o664), 0o660);
        assert_eq!(upon(0o770, None, 0o600), 0o600);
        assert_eq!(upon(0o700, Some(true), 0o664), 0o700);
        assert_eq!(upon(0o777, Some(true), 0o640), 0o750);
        assert_eq!(upon(0o777, Some(true), 0o600), 0o700);
        assert_eq!(upon(0o777, Some(true), 0o222), 0o222);
        assert_eq!(upon(0o777, Some(false), 0o755), 0o644);
        assert_eq!(upon(0o700, Some(false), 0o755), 0o600);
    }
}
