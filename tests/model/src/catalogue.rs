//! The configurations, each with what is expected of it.

mod branches;
mod broken;
mod storage;
mod strong;
mod trouble;
mod weak;

use crate::config::{Answer, Configuration};
use crate::version08::Version08;

/// What a search is expected to end with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// Every property holds in every state.
    Holds,
    /// This property is broken, at the earliest after so many steps.
    Breaks(&'static str, usize),
    /// From some state no quiet one can be reached.
    Traps,
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
    /// What goes wrong, in words; empty where nothing does.
    pub about: &'static str,
    /// What is expected.
    pub expect: Expect,
    /// How long it takes.
    pub size: Size,
    /// What is searched.
    pub subject: Subject,
}

/// All configurations.
pub fn all() -> Vec<Case> {
    [
        strong::cases(),
        trouble::cases(),
        branches::cases(),
        storage::cases(),
        weak::cases(),
        broken::cases(),
    ]
    .concat()
}

/// All answers but Defer.
const ALL: &[Answer] = &[Answer::Merge, Answer::KeepLocal, Answer::TakeRemote];

/// Two devices, one document, two edits each, and nothing goes wrong.
fn base() -> Configuration {
    Configuration::new()
}

/// A configuration in which everything holds.
fn holds(size: Size, name: &'static str, configuration: Configuration) -> Case {
    let subject = Subject::Protocol(Box::new(configuration));
    Case { name, about: "", expect: Expect::Holds, size, subject }
}

/// A configuration in which a property is broken, at the earliest after so many steps.
fn breaks(
    name: &'static str,
    about: &'static str,
    (property, steps): (&'static str, usize),
    configuration: Configuration,
) -> Case {
    let subject = Subject::Protocol(Box::new(configuration));
    Case { name, about, expect: Expect::Breaks(property, steps), size: Size::Small, subject }
}

/// A configuration with a state from which nothing leads to quiet.
fn traps(name: &'static str, about: &'static str, configuration: Configuration) -> Case {
    let subject = Subject::Protocol(Box::new(configuration));
    Case { name, about, expect: Expect::Traps, size: Size::Small, subject }
}

fn version08(name: &'static str, about: &'static str, expect: Expect, version: Version08) -> Case {
    Case { name, about, expect, size: Size::Small, subject: Subject::Version08(version) }
}
