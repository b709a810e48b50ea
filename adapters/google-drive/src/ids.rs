//! Reserved ids: every file gets one before it is made.

use tokio::sync::Mutex;

use crate::drive::Drive;
use crate::error::Failure;

/// Ids that Google reserved for this client and that no file has yet. Those left at the end are lost,
/// which costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Ids(Mutex<Stock>);

#[derive(Debug, Default)]
struct Stock {
    left: Vec<String>,
    asked: bool,
}

/// The first request asks for so many, which is enough for a sync of some documents.
const FIRST: usize = 100;
/// Google gives no more at once.
const MOST: usize = 1000;

impl Ids {
    /// An id that no file has and that nobody else gets.
    pub(crate) async fn take(&self, drive: &Drive) -> Result<String, Failure> {
        let mut stock = self.0.lock().await;
        if let Some(id) = stock.left.pop() {
            return Ok(id);
        }
        let count = if stock.asked { MOST } else { FIRST };
        stock.left = drive.generate_ids(count).await?;
        stock.asked = true;
        let none = || Failure::not_drive("no id was reserved");
        stock.left.pop().ok_or_else(none)
    }

    /// So many of them.
    pub(crate) async fn take_many(&self, drive: &Drive, n: usize) -> Result<Vec<String>, Failure> {
        let mut taken = Vec::with_capacity(n);
        while taken.len() < n {
            taken.push(self.take(drive).await?);
        }
        Ok(taken)
    }
}
