//! The configurations, each with what is expected of it.

mod broken;
mod storage;
mod strong;
mod trouble;
mod weak;

use std::time::Duration;

use crate::config::Configuration;
use crate::liveness::{Liveness, liveness};
use crate::search::{Report, search};
use crate::version08::Version08;

/// What a search is expected to end with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// Every property holds in every state.
    Holds,
    /// This property is broken, at the earliest after so many steps.
    Breaks(&'static str, usize),
}

/// How long a search takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub enum Size {
    /// Seconds: part of the test command.
    Small,
    /// Minutes: by command.
    Large,
}

/// What is searched.
#[derive(Clone, Debug)]
pub enum Subject {
    /// The protocol.
    Protocol(Box<Configuration>),
    /// 0.8's.
    Version08(Version08),
}

/// One configuration of the catalogue.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// What is special about it, in words.
    pub about: &'static str,
    /// What is expected.
    pub expect: Expect,
    /// How long it takes.
    pub size: Size,
    /// What is searched.
    pub subject: Subject,
}

impl Case {
    /// Searches it.
    pub fn search(&self, time: Duration) -> Report {
        let only = match self.expect {
            Expect::Holds => None,
            Expect::Breaks(property, _) => Some(property).filter(|property| !property.is_empty()),
        };
        match &self.subject {
            Subject::Protocol(configuration) => search(&**configuration, only, time),
            Subject::Version08(version) => search(version, only, time),
        }
    }

    /// Searches it for livelocks.
    pub fn liveness(&self, time: Duration) -> Liveness {
        match &self.subject {
            Subject::Protocol(configuration) => liveness(&**configuration, time),
            Subject::Version08(version) => liveness(version, time),
        }
    }
}

/// All configurations.
pub fn all() -> Vec<Case> {
    [strong::cases(), trouble::cases(), storage::cases(), weak::cases(), broken::cases()].concat()
}

fn case(
    size: Size,
    name: &'static str,
    about: &'static str,
    expect: Expect,
    configuration: Configuration,
) -> Case {
    Case { name, about, expect, size, subject: Subject::Protocol(Box::new(configuration)) }
}

/// A configuration in which everything holds.
fn holds(size: Size, name: &'static str, about: &'static str, c: Configuration) -> Case {
    case(size, name, about, Expect::Holds, c)
}
