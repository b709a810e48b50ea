//! Servers, and the shell of SQLite, that Debian packages. They are installed for the whole machine;
//! none is left running.

use std::path::Path;
use std::process::Command;

use crate::apt;

/// A package, and a file of it that the tests use.
const PACKAGES: &[(&str, &str)] = &[
    ("apache2-bin", "/usr/lib/apache2/modules/mod_dav_fs.so"),
    ("openssl", "/usr/bin/openssl"),
    ("nginx", "/usr/sbin/nginx"),
    ("libnginx-mod-http-dav-ext", "/usr/lib/nginx/modules/ngx_http_dav_ext_module.so"),
    ("lighttpd", "/usr/sbin/lighttpd"),
    ("lighttpd-mod-webdav", "/usr/lib/lighttpd/mod_webdav.so"),
    ("php-cli", "/usr/bin/php"),
    ("php-sabre-dav", "/usr/share/php/Sabre/autoload.php"),
    ("sqlite3", "/usr/bin/sqlite3"),
    // A file system that ignores case, for the tests that mount one.
    ("exfat-fuse", "/usr/sbin/mount.exfat-fuse"),
    ("exfatprogs", "/usr/sbin/mkfs.exfat"),
    // File systems, each of which is tried.
    ("e2fsprogs", "/usr/sbin/mkfs.ext4"),
    ("xfsprogs", "/usr/sbin/mkfs.xfs"),
    ("btrfs-progs", "/usr/bin/btrfs"),
    ("ntfs-3g", "/usr/bin/ntfs-3g"),
    // What a push of a folder is measured beside.
    ("rsync", "/usr/bin/rsync"),
    // A network file system, for the test that watches one.
    ("sshfs", "/usr/bin/sshfs"),
    ("openssh-sftp-server", "/usr/lib/openssh/sftp-server"),
];

/// What sabre/dav wants of PHP. Which file they are depends on PHP's release, so PHP is asked.
const EXTENSIONS: &[(&str, &str)] = &[("php-mbstring", "mbstring"), ("php-xml", "dom")];

/// Installs what is missing.
pub(super) fn install() -> bool {
    let wanted = missing();
    if wanted.is_empty() {
        println!(
            "== servers: Apache, nginx, lighttpd, PHP's sabre/dav, sqlite3, exFAT and sshfs are there"
        );
        return true;
    }
    apt::install("servers", &wanted) && missing().is_empty()
}

fn missing() -> Vec<&'static str> {
    let packages = PACKAGES.iter().filter(|(_, file)| !Path::new(file).exists());
    let known = Command::new("/usr/bin/php").arg("-m").output();
    let known = known.map(|php| String::from_utf8_lossy(&php.stdout).into_owned());
    let known = known.unwrap_or_default();
    let extensions =
        EXTENSIONS.iter().filter(|(_, name)| !known.lines().any(|known| known == *name));
    packages.chain(extensions).map(|(package, _)| *package).collect()
}
