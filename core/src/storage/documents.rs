//! Get and Put: the documents.

use bytes::Bytes;
use futures::StreamExt;

use super::Storage;
use crate::model::format::Change;
use crate::model::{Error, Key};

impl Storage {
    /// Get: the bytes of many changed documents, in order. `Ok(None)` is a document that is absent
    /// or damaged (rule P5).
    pub(crate) async fn get(&self, changes: &[&Change]) -> Vec<Result<Option<Bytes>, Error>> {
        let batches = self.batches(changes);
        let reads: Vec<_> = batches.into_iter().map(|batch| self.get_batch(batch)).collect();
        let answers: Vec<Vec<_>> = futures::stream::iter(reads).buffered(2).collect().await;
        answers.into_iter().flatten().collect()
    }

    /// Put: stores many document versions.
    pub(crate) async fn put(&self, documents: &[(Key, Bytes)]) -> Vec<Result<(), Error>> {
        self.write_many(documents).await
    }

    async fn get_batch(&self, changes: &[&Change]) -> Vec<Result<Option<Bytes>, Error>> {
        let keys: Vec<_> = changes.iter().map(|c| Key::document(&c.id, c.vid)).collect();
        let answers = self.read_many(&keys, changes.iter().map(|c| c.len).sum()).await;
        let checked = changes.iter().zip(answers);
        checked.map(|(c, answer)| answer.map(|b| b.filter(|b| c.is_content(b)))).collect()
    }

    /// Cuts the changes into batches that the adapter takes in one call.
    fn batches<'a, 'b>(&self, changes: &'a [&'b Change]) -> Vec<&'a [&'b Change]> {
        let limits = self.capabilities();
        let mut batches = Vec::new();
        let (mut start, mut bytes) = (0, 0);
        for (i, change) in changes.iter().enumerate() {
            let full = i - start >= limits.batch_items || bytes + change.len > limits.batch_bytes;
            if i > start && full {
                batches.push(&changes[start..i]);
                (start, bytes) = (i, 0);
            }
            bytes = bytes.saturating_add(change.len);
        }
        batches.push(&changes[start..]);
        batches.retain(|batch| !batch.is_empty());
        batches
    }
}
