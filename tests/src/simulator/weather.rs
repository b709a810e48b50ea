//! What goes wrong with requests, and how often.

use std::time::Duration;

use db_to_cloud::ErrorKind;

use super::dice::Dice;
use super::wire::Request;

/// How often requests go wrong.
#[derive(Debug, Default)]
pub(super) struct Weather {
    /// Of a hundred requests, so many.
    pub faults: u64,
    /// Edits and faults have stopped for good.
    pub resting: bool,
}

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Well,
    /// It has no effect, and the client knows why.
    Refused(ErrorKind),
    /// It has no effect, and the storage asks for a pause.
    Throttled(Duration),
    /// It has no effect, and the client gets no answer.
    Lost,
    /// It takes effect, and the client gets no answer.
    AnswerLost,
    /// It takes effect, and the client waits in vain.
    Hangs,
    /// The client waits in vain; it takes effect later, or never.
    Stuck,
    /// An error comes at once; it takes effect later, or never.
    Delayed,
    /// A part of the bytes, or the bytes with their end wiped out.
    Torn,
}

impl Weather {
    pub(super) fn fate(&self, dice: &mut Dice, request: &Request) -> Fate {
        if !dice.percent(self.faults) {
            return Fate::Well;
        }
        let kinds = [
            ErrorKind::Unavailable,
            ErrorKind::TimedOut,
            ErrorKind::Throttled,
            ErrorKind::Forbidden,
            ErrorKind::Unauthorized,
            ErrorKind::Full,
        ];
        let refused = Fate::Refused(dice.one_of(&kinds));
        let throttled = Fate::Throttled(Duration::from_secs(dice.one_of(&[1, 40, 400])));
        match request {
            // A torn answer of the probe is an error by the adapter's contract.
            Request::Get(key) if !key.as_str().starts_with("probe") => {
                dice.one_of(&[refused, throttled, Fate::Lost, Fate::Stuck, Fate::Torn, Fate::Torn])
            }
            Request::Get(_) | Request::List(..) | Request::Names(..) => {
                dice.one_of(&[refused, throttled, Fate::Lost, Fate::Stuck])
            }
            _ => dice.one_of(&[
                refused,
                throttled,
                Fate::Lost,
                Fate::AnswerLost,
                Fate::AnswerLost,
                Fate::Hangs,
                Fate::Stuck,
                Fate::Delayed,
            ]),
        }
    }
}
