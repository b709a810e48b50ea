//! What is said of a file beside its content: whether only its owner may use it, and whether it is executable.

use std::io;

use db_to_cloud::Attributes;

use crate::limbo::{NEW, random};
use crate::sys::{self, Dir};

/// Neither group nor others may do anything with the file.
const PRIVATE: &str = "private";
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
        let (private, executable) = (mode & 0o077 == 0, mode & 0o100 != 0);
        let said = |is: bool| is.then_some(true);
        match self {
            Self::Kept => Attributes::default()
                .with(PRIVATE, said(private))
                .with(EXECUTABLE, said(executable)),
            Self::Unknown if private => Attributes::default().with(PRIVATE, true),
            Self::Shown | Self::Unknown => Attributes::default(),
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) private: bool,
    /// `None`: nothing is said.
    pub(crate) executable: Option<bool>,
}

impl Wanted {
    pub(crate) fn of(attributes: &Attributes) -> Self {
        let executable = attributes.get(EXECUTABLE).map(|_| attributes.is(EXECUTABLE));
        Self { private: attributes.is(PRIVATE), executable }
    }

    /// The bits of a file that had these: nobody gets more rights by another device, but for whoever may
    /// read an executable file.
    pub(crate) fn upon(self, mode: u32) -> u32 {
        let mode = if self.private { mode & 0o700 } else { mode };
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
            (wanted.private, wanted.executable)
        };
        assert_eq!(said(Bits::Kept, 0o644), (false, Some(false)));
        assert_eq!(said(Bits::Kept, 0o600), (true, Some(false)));
        assert_eq!(said(Bits::Kept, 0o400), (true, Some(false)));
        assert_eq!(said(Bits::Kept, 0o755), (false, Some(true)));
        assert_eq!(said(Bits::Kept, 0o700), (true, Some(true)));
        assert_eq!(said(Bits::Kept, 0o640), (false, Some(false)));
        for mode in [0o600, 0o644, 0o755, 0o777] {
            assert!(Bits::Shown.attributes(mode).is_empty());
        }
        assert_eq!(said(Bits::Unknown, 0o700), (true, None));
        assert!(Bits::Unknown.attributes(0o755).is_empty());
    }

    #[test]
    fn a_file_gets_no_more_rights_than_to_be_executed_by_its_readers() {
        let upon = |private, executable, mode| Wanted { private, executable }.upon(mode);
        assert_eq!(upon(false, None, 0o640), 0o640);
        assert_eq!(upon(true, None, 0o664), 0o600);
        assert_eq!(upon(true, Some(true), 0o664), 0o700);
        assert_eq!(upon(false, Some(true), 0o640), 0o750);
        assert_eq!(upon(false, Some(true), 0o600), 0o700);
        assert_eq!(upon(false, Some(true), 0o222), 0o222);
        assert_eq!(upon(false, Some(false), 0o755), 0o644);
        assert_eq!(upon(true, Some(false), 0o755), 0o600);
    }
}
