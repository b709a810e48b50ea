//! The switches: one set a thread, for a test and all devices in it run on one thread.

use std::cell::Cell;
use std::marker::PhantomData;

use super::Rule;

thread_local! {
    /// The rules that are off on this thread, a bit each.
    static OFF: Cell<u64> = const { Cell::new(0) };
}

/// While this lives the rule is off, on the thread that made it.
#[derive(Debug)]
#[must_use = "the rule holds again once this is dropped"]
pub struct Guard {
    rule: Rule,
    /// The switch is the thread's: the guard stays there.
    stays: PhantomData<*const ()>,
}

/// Switches a rule off on this thread until the guard is dropped.
pub fn without(rule: Rule) -> Guard {
    OFF.set(OFF.get() | bit(rule));
    Guard { rule, stays: PhantomData }
}

/// Whether the rule is obeyed on this thread.
pub(crate) fn holds(rule: Rule) -> bool {
    OFF.get() & bit(rule) == 0
}

impl Drop for Guard {
    fn drop(&mut self) {
        OFF.set(OFF.get() & !bit(self.rule));
    }
}

fn bit(rule: Rule) -> u64 {
    1 << rule as u64
}
