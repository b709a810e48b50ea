//! File systems that other machines or programs write to: the system tells what this machine does in them,
//! and nothing else.

use std::path::Path;

/// The name of the file system that a folder is on, if others may write to it unseen.
#[cfg(unix)]
pub(super) fn name(path: &Path) -> Option<&'static str> {
    let found = rustix::fs::statfs(path).ok()?;
    shared(&found)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn shared(found: &rustix::fs::StatFs) -> Option<&'static str> {
    // The type of the field differs between processors; the numbers have 32 bits.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "32 bits are left")]
    name_of(found.f_type as u32)
}

/// By the numbers of `statfs(2)`.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn name_of(number: u32) -> Option<&'static str> {
    Some(match number {
        0x6969 => "NFS",
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x0102_1997 => "9p",
        // sshfs, rclone, virtiofs and others.
        0x6573_5546 => "FUSE",
        0x00c3_6400 => "Ceph",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x7375_7245 => "Coda",
        0x564c => "NCP",
        0x0bd0_0bd0 => "Lustre",
        0x0116_1970 => "GFS2",
        0x7461_636f => "OCFS2",
        0x4750_4653 => "GPFS",
        0x1983_0326 => "BeeGFS",
        0x2003_0528 => "OrangeFS",
        0x786f_4256 => "vboxsf",
        0xbacb_acbc => "vmhgfs",
        0x7c7c_6013 => "prl_fs",
        _ => return None,
    })
}

#[cfg(target_vendor = "apple")]
fn shared(found: &rustix::fs::StatFs) -> Option<&'static str> {
    /// `MNT_LOCAL` of `sys/mount.h`.
    const LOCAL: u32 = 0x1000;
    (found.f_flags & LOCAL == 0).then_some("network")
}

/// Not known on other systems.
#[cfg(not(unix))]
pub(super) fn name(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android", target_vendor = "apple"))))]
fn shared(_: &rustix::fs::StatFs) -> Option<&'static str> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_numbers() {
        for (number, expected) in [
            (0x6969, Some("NFS")),
            (0xff53_4d42, Some("SMB")),
            (0xfe53_4d42, Some("SMB")),
            (0x0102_1997, Some("9p")),
            (0x6573_5546, Some("FUSE")),
            // ext4, xfs, btrfs, tmpfs, overlay, exfat, vfat.
            (0xef53, None),
            (0x5846_5342, None),
            (0x9123_683e, None),
            (0x0102_1994, None),
            (0x794c_7630, None),
            (0x2011_bab0, None),
            (0x4d44, None),
        ] {
            assert_eq!(name_of(number), expected, "{number:x}");
        }
        assert_eq!(name(Path::new("/proc")), None);
    }
}
