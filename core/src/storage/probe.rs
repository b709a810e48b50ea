//! The probe: finds out by racing whether a server's create is atomic (rule S3).

use bytes::Bytes;
use futures::future::join_all;

use super::Storage;
use crate::model::{Error, ErrorKind, Folder, Key};
use crate::storage::Created;

const CREATORS: usize = 8;
const ROUNDS: usize = 3;
/// The requests, one after another, that an adapter may need to find it out.
const MEASURED: u32 = 64;

impl Storage {
    /// Whether create is atomic: as the adapter has found, or by a race.
    ///
    /// # Errors
    /// If nothing could be found out: then nothing is remembered.
    pub(crate) async fn measure(&self) -> Result<bool, Error> {
        let limit = self.time_limit(0).saturating_mul(MEASURED);
        let measured = self.retry(|| async move {
            let measured = self.adapter.measured_create();
            self.timed_within(limit, "probe", None, measured).await?
        });
        match measured.await? {
            Some(atomic) => Ok(atomic),
            None => self.probe().await,
        }
    }

    /// Whether of 8 creators at once exactly one wins, 3 times, on throw-away keys.
    ///
    /// # Errors
    /// If the storage fails otherwise: then nothing is known and nothing is remembered.
    async fn probe(&self) -> Result<bool, Error> {
        for _ in 0..ROUNDS {
            let name = format!("{:032x}", self.environment.random());
            let key = Folder::Probe.key(&name)?;
            let atomic = self.race(&key).await;
            self.delete(&key).await?;
            if !atomic? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn race(&self, key: &Key) -> Result<bool, Error> {
        let creators = (0..CREATORS).map(|i| self.create(key, body(i)));
        let answers = join_all(creators).await;
        let (mut winners, mut unclear) = (Vec::new(), None);
        for (i, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(Created::New) => winners.push(i),
                Ok(Created::Occupied) => {}
                // The server says by itself that it has no conditional writes.
                Err(e) if e.kind() == ErrorKind::Unsupported => {
                    let speaks = self.stores(key).await?;
                    return if speaks { Ok(false) } else { Err(e) };
                }
                // Some servers answer those who lose a race with an error.
                Err(e) if e.is_transient() => unclear = Some(e),
                Err(e) => return Err(e),
            }
        }
        if let (true, Some(error)) = (winners.is_empty(), unclear) {
            // The winner's answer may be the one that was lost.
            return Err(error);
        }
        let stored = self.read(key, 0).await?;
        // The winner's bytes must be there, and a late creator must lose too.
        let sole = matches!(winners[..], [winner] if stored == Some(body(winner)));
        // It may be sent again: on a key that is taken each must lose.
        let late = || self.create(key, body(CREATORS));
        Ok(sole && self.retry(late).await? == Created::Occupied)
    }
}

impl Storage {
    /// Whether what is put there comes back. So speaks the storage itself, and not a sign-in page on
    /// the way to it, for which a client would take the storage for weak for good.
    async fn stores(&self, key: &Key) -> Result<bool, Error> {
        let bytes = Bytes::from(format!("{:032x}", self.environment.random()));
        self.write(key, bytes.clone()).await?;
        Ok(self.read(key, 0).await? == Some(bytes))
    }
}

fn body(creator: usize) -> Bytes {
    Bytes::from(format!("creator {creator}"))
}
