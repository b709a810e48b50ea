//! Counts requests and bytes.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::model::Requests;

#[derive(Debug, Default)]
pub(super) struct Meter {
    get: AtomicU64,
    put: AtomicU64,
    create: AtomicU64,
    delete: AtomicU64,
    list: AtomicU64,
    up: AtomicU64,
    down: AtomicU64,
}

impl Meter {
    pub(super) fn get(&self, count: usize) {
        self.get.fetch_add(count as u64, Relaxed);
    }

    pub(super) fn put(&self, count: usize) {
        self.put.fetch_add(count as u64, Relaxed);
    }

    /// So many that were counted were not made.
    pub(super) fn no_put(&self, count: usize) {
        self.put.fetch_sub(count as u64, Relaxed);
    }

    pub(super) fn create(&self, count: usize) {
        self.create.fetch_add(count as u64, Relaxed);
    }

    pub(super) fn delete(&self, count: usize) {
        self.delete.fetch_add(count as u64, Relaxed);
    }

    pub(super) fn list(&self, count: usize) {
        self.list.fetch_add(count as u64, Relaxed);
    }

    pub(super) fn up(&self, bytes: u64) {
        self.up.fetch_add(bytes, Relaxed);
    }

    pub(super) fn down(&self, bytes: usize) {
        self.down.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn read(&self) -> (Requests, u64, u64) {
        let requests = Requests {
            get: self.get.load(Relaxed),
            put: self.put.load(Relaxed),
            create: self.create.load(Relaxed),
            delete: self.delete.load(Relaxed),
            list: self.list.load(Relaxed),
        };
        (requests, self.up.load(Relaxed), self.down.load(Relaxed))
    }
}
