//! `rclone copy` of the same files: a process for each step, as one would start it.

use std::process::Command;

use async_trait::async_trait;
use db_to_cloud_test_servers::{PASSWORD, USER, folder};
use tempfile::TempDir;

use crate::{CONCURRENCY, Way, files};

/// Three devices' folders.
pub(crate) struct Rclone {
    url: String,
    remote: String,
    password: String,
    devices: [TempDir; 3],
}

impl Rclone {
    pub(crate) fn new(url: &str) -> Self {
        let password = Command::new(folder().join("rclone/bin/rclone"))
            .args(["obscure", PASSWORD])
            .output()
            .unwrap();
        // It makes collections below the address that it is given, but not that itself.
        let (url, collection) = url.rsplit_once('/').unwrap();
        Self {
            url: url.to_owned(),
            remote: format!("dav:{collection}"),
            password: String::from_utf8(password.stdout).unwrap().trim().to_owned(),
            devices: std::array::from_fn(|_| tempfile::tempdir().unwrap()),
        }
    }

    fn copy(&self, from: &str, to: &str) {
        let at_once = CONCURRENCY.to_string();
        let status = Command::new(folder().join("rclone/bin/rclone"))
            .args(["copy", from, to, "--transfers", &at_once, "--checkers", &at_once])
            // By default it sends no more than 100 requests a second.
            .args(["--webdav-pacer-min-sleep", "1ns"])
            .env("RCLONE_CONFIG", "/dev/null")
            .env("RCLONE_CONFIG_DAV_TYPE", "webdav")
            .env("RCLONE_CONFIG_DAV_VENDOR", "other")
            .env("RCLONE_CONFIG_DAV_URL", &self.url)
            .env("RCLONE_CONFIG_DAV_USER", USER)
            .env("RCLONE_CONFIG_DAV_PASS", &self.password)
            .status();
        assert!(status.unwrap().success(), "rclone copy {from} {to}");
    }

    fn folder(&self, device: usize) -> &str {
        self.devices[device].path().to_str().unwrap()
    }
}

#[async_trait]
impl Way for Rclone {
    async fn edit(&mut self, documents: usize, text: &str) {
        files::write(self.devices[0].path(), documents, text);
    }

    async fn push(&mut self) {
        self.copy(self.folder(0), &self.remote);
    }

    async fn pull(&mut self, device: usize) {
        self.copy(&self.remote, self.folder(device));
    }

    fn check(&self) {
        files::check(&self.devices);
    }
}
