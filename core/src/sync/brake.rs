//! Rule B1: a sync that would take too much must be accepted first.

use super::Context;
use crate::model::{Error, ErrorKind};
use crate::protocol::Loss;

impl Context<'_> {
    /// Stops a sync whose loss must be accepted first, unless it was (rule B1).
    pub(super) fn brake(&self, loss: &Loss, all: u64, place: &str) -> Result<(), Error> {
        if self.options.accept_deletes {
            return Ok(());
        }
        let lost = loss.total();
        let (what, cause) = match loss.deletes() == lost {
            true => {
                ("deleted", "an emptied folder, an unmounted drive, a table that was made anew?")
            }
            false => ("deleted or replaced", "an emptied folder, files that were encrypted?"),
        };
        Err(Error::new(ErrorKind::TooManyDeletes, "sync").with_message(format!(
            "{lost} of {all} documents would be {what} {place}: check whether that is right \
             ({cause}), then accept it"
        )))
    }
}
