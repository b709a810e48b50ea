//! Rule B1: a sync that would take too much must be accepted first.

use super::Context;
use crate::model::{Error, ErrorKind};
use crate::protocol::Loss;

impl Context<'_> {
    /// Stops a sync whose loss must be accepted first, unless it was (rule B1).
    pub(super) fn brake(&self, loss: &Loss, all: u64, what: &str) -> Result<(), Error> {
        if self.options.accept_deletes {
            return Ok(());
        }
        let lost = loss.total();
        Err(Error::new(ErrorKind::TooManyDeletes, "sync").with_message(format!(
            "{lost} of {all} documents would be {what}: check whether that is right (an emptied \
             folder, an unmounted drive, files that were encrypted?), then accept the deletes"
        )))
    }
}
