//! Who may read what is written: its owner alone, unless the folder of the storage is evidently shared
//! between users. The bits that are asked for do not depend on the umask of the process.

use std::fs::File;

use rustix::fs::{Mode, Stat, fchmod, fstat};
use rustix::process::getegid;

use crate::error::Failure;
use crate::seen::Seen;
use crate::sys::Folder;

/// The permission bits of what is new in one storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Modes {
    /// What group and others may do with a folder, and whether its group is passed on.
    shared: Mode,
}

const GROUP: Mode = Mode::RWXG.union(Mode::SGID);

impl Modes {
    /// By the root folder, which the user made and may have shared.
    pub(crate) fn of(root: &Folder) -> Result<Self, Failure> {
        let root = root.file();
        let stat = fstat(root).map_err(|errno| Failure::io("look at the folder")(errno.into()))?;
        let is_other_group = stat.st_gid != getegid().as_raw();
        Ok(Self::by(mode(&stat), is_other_group || has_default_acl(root)))
    }

    /// A group that may write is no evidence by itself: where each user has a group of their own, a
    /// umask of 002 is usual. In a folder with the sticky bit, such as `/tmp`, each user has files of
    /// their own.
    fn by(root: Mode, is_other_group: bool) -> Self {
        let all = root.contains(Mode::WOTH) && !root.contains(Mode::SVTX);
        let group = root.contains(Mode::WGRP) && (is_other_group || root.contains(Mode::SGID));
        let shared = match (all, group) {
            (true, _) => GROUP | Mode::RWXO,
            (false, true) => GROUP,
            (false, false) => Mode::empty(),
        };
        Self { shared: root & shared }
    }

    /// Only the owner may use what is new.
    #[cfg(test)]
    pub(crate) const PRIVATE: Self = Self { shared: Mode::empty() };

    /// Lets others use a new folder, if they may. To be repeated at the next opening: a process that
    /// dies before this leaves a folder that only its owner can use.
    pub(crate) fn share_folder(self, folder: &Folder) {
        let folder = folder.file();
        if self.shared.is_empty() {
            return;
        }
        let Ok(found) = fstat(folder).map(|stat| mode(&stat)) else { return };
        if !found.contains(self.shared) {
            widen(folder, found | self.shared);
        }
    }

    /// Lets others read a new file, if they may.
    pub(crate) fn share_file(self, file: &File) {
        let shared = self.file() & !Mode::RWXU;
        if !shared.is_empty() {
            widen(file, self.file());
        }
    }

    /// Whether others may do more with this file than with a new one.
    pub(crate) fn is_loose(self, file: &Seen) -> bool {
        let others = Mode::RWXG | Mode::RWXO;
        !self.file().contains(bits(file.mode) & others)
    }

    fn file(self) -> Mode {
        let bits = Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
        Mode::RUSR | Mode::WUSR | (self.shared & bits)
    }
}

/// A folder or file of another user keeps its bits, and some file systems have none to be changed.
fn widen(file: &File, mode: Mode) {
    let _ = fchmod(file, mode);
}

fn mode(stat: &Stat) -> Mode {
    Mode::from_raw_mode(stat.st_mode)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::unnecessary_cast,
    reason = "the type differs by system"
)]
fn bits(mode: u32) -> Mode {
    Mode::from_raw_mode(mode as rustix::fs::RawMode)
}

/// Whether the folder says by an access control list who may use what is made in it. The bits of the
/// group are then the most that the list gives to anybody.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn has_default_acl(folder: &File) -> bool {
    let size = rustix::fs::fgetxattr(folder, c"system.posix_acl_default", &mut [0_u8; 0][..]);
    size.is_ok_and(|size| size > 0)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn has_default_acl(_: &File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storage_is_private_unless_its_folder_is_evidently_shared() {
        let modes = [
            // The bits of the root, whether its group is another one, and those of a file.
            (0o700, false, 0o600),
            (0o755, false, 0o600),
            (0o755, true, 0o600),
            (0o2755, true, 0o600),
            (0o775, false, 0o600),
            (0o775, true, 0o660),
            (0o770, true, 0o660),
            (0o2775, false, 0o660),
            (0o2770, false, 0o660),
            (0o777, false, 0o666),
            (0o707, false, 0o606),
            (0o1777, false, 0o600),
            (0o1777, true, 0o660),
        ];
        for (root, is_other_group, file) in modes {
            let modes = Modes::by(Mode::from_raw_mode(root), is_other_group);
            assert_eq!(modes.file(), Mode::from_raw_mode(file), "{root:o} {is_other_group}");
        }
        let team = Modes::by(Mode::from_raw_mode(0o2775), false);
        assert_eq!(team.shared, Mode::from_raw_mode(0o2070));
        assert_eq!(Modes::by(Mode::from_raw_mode(0o755), false), Modes::PRIVATE);
    }
}
