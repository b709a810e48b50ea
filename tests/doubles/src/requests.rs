//! What a double was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many requests came, by route, and how many of a route were under way at once. The clones are one.
///
/// A request counts when all of it has come, whatever becomes of it.
#[derive(Clone, Debug, Default)]
pub struct Requests(Arc<Mutex<BTreeMap<String, Count>>>);

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    total: usize,
    now: usize,
    most: usize,
}

impl Requests {
    /// How many requests of this route came, such as `files/upload`.
    pub fn of(&self, route: &str) -> usize {
        self.counts().get(route).map_or(0, |count| count.total)
    }

    /// How many came in all.
    pub fn total(&self) -> usize {
        self.counts().values().map(|count| count.total).sum()
    }

    /// How many came, by route.
    pub fn by_route(&self) -> BTreeMap<String, usize> {
        let counts = self.counts();
        let some = counts.iter().filter(|(_, count)| count.total > 0);
        some.map(|(route, count)| (route.clone(), count.total)).collect()
    }

    /// How many requests of this route the double worked at, at once.
    pub fn most_at_once(&self, route: &str) -> usize {
        self.counts().get(route).map_or(0, |count| count.most)
    }

    /// Counts from zero again. What is under way stays so.
    pub fn forget(&self) {
        for count in self.counts().values_mut() {
            *count = Count { total: 0, most: count.now, now: count.now };
        }
    }

    /// Until the answer is dropped, the request is under way.
    pub(crate) fn begin(&self, route: &str) -> UnderWay {
        let mut counts = self.counts();
        let count = counts.entry(route.to_owned()).or_default();
        count.total += 1;
        count.now += 1;
        count.most = count.most.max(count.now);
        UnderWay { requests: self.clone(), route: route.to_owned() }
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that the double works at.
#[derive(Debug)]
pub(crate) struct UnderWay {
    requests: Requests,
    route: String,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(count) = self.requests.counts().get_mut(&self.route) {
            count.now -= 1;
        }
    }
}
