//! The proof that the checks see something: folders whose database breaks a promise are caught.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use db_to_cloud::state::StateStore;
use db_to_cloud::{
    BoxError, Conflict, Database, Document, DocumentId, Listed, Outcome, Resolution, Revision,
    Write,
};
use fastrand::Rng;
use futures::stream::BoxStream;

use crate::application::{Application, Tree};
use crate::folders::Folder;
use crate::plan::Editors;
use crate::seeds::is_caught;

/// Which promise is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// A write replaces whatever is there.
    ComparesNothing,
    /// A delete is reported as made and is not.
    DeletesNothing,
    /// The second put of a batch is reported as made and is not.
    LosesAPut,
    /// Of a batch with deletes, these come one batch too late: first they are blocked.
    BlocksDeletes,
    /// What cannot be read now is left out of the list.
    ListsNotAll,
}

#[derive(Clone, Debug)]
struct Broken(Folder, Fault);

struct BrokenDatabase(Arc<dyn Database>, Fault);

#[async_trait]
impl Database for BrokenDatabase {
    fn list(&self) -> BoxStream<'_, Result<Listed, BoxError>> {
        use futures::StreamExt as _;
        match self.1 {
            Fault::ListsNotAll => self.0.list().skip(1).boxed(),
            _ => self.0.list(),
        }
    }

    async fn get(&self, id: &DocumentId) -> Result<Option<Document>, BoxError> {
        self.0.get(id).await
    }

    async fn revisions(&self, ids: &[DocumentId]) -> Vec<Result<Option<Revision>, BoxError>> {
        self.0.revisions(ids).await
    }

    async fn apply(&self, mut batch: Vec<Write>) -> Vec<Outcome> {
        let is_delete: Vec<_> = batch.iter().map(|write| write.document.is_none()).collect();
        if self.1 == Fault::ComparesNothing {
            for write in &mut batch {
                write.expected =
                    self.0.get(&write.id).await.unwrap_or_default().map(|d| d.revision);
            }
        }
        let is_lost = |i: usize| match self.1 {
            Fault::DeletesNothing | Fault::BlocksDeletes => is_delete[i],
            Fault::LosesAPut => i == 1 && !is_delete[i],
            _ => false,
        };
        let numbered = batch.into_iter().enumerate();
        let made: Vec<_> = numbered.filter(|(i, _)| !is_lost(*i)).map(|(_, write)| write).collect();
        let mut outcomes = self.0.apply(made).await.into_iter();
        let mut outcome = |i| match (is_lost(i), self.1) {
            (true, Fault::BlocksDeletes) => Outcome::Blocked("it is a delete".into()),
            (true, _) => Outcome::Done,
            (false, _) => outcomes.next().unwrap_or(Outcome::Changed),
        };
        (0..is_delete.len()).map(&mut outcome).collect()
    }
}

#[async_trait]
impl Application for Broken {
    type Op = <Folder as Application>::Op;

    fn name(&self) -> String {
        format!("a folder that {:?}", self.1)
    }

    fn any(&self, dice: &mut Rng, is_first: bool) -> Self::Op {
        self.0.any(dice, is_first)
    }

    fn edit_of(&self, id: &DocumentId, text: &str) -> Self::Op {
        self.0.edit_of(id, text)
    }

    fn create(&self, home: &Path) {
        self.0.create(home);
    }

    async fn open(&self, home: &Path) -> (Arc<dyn Database>, Arc<dyn StateStore>) {
        let (database, state) = self.0.open(home).await;
        (Arc::new(BrokenDatabase(database, self.1)), state)
    }

    fn make(&self, home: &Path, op: &Self::Op) {
        self.0.make(home, op);
    }

    fn read(&self, home: &Path) -> Tree {
        self.0.read(home)
    }

    fn clash(&self, one: (&str, &str), other: (&str, &str)) -> bool {
        self.0.clash(one, other)
    }

    fn decide(&self, conflict: &Conflict) -> Resolution {
        self.0.decide(conflict)
    }
}

#[test]
fn a_database_that_breaks_a_promise_is_caught() {
    let folder = Folder { is_blind: false };
    for fault in [
        Fault::ComparesNothing,
        Fault::DeletesNothing,
        Fault::LosesAPut,
        Fault::BlocksDeletes,
        Fault::ListsNotAll,
    ] {
        let broken = Broken(folder, fault);
        let is_caught =
            [Editors::One, Editors::All].map(|editors| is_caught(&broken, &folder, editors, 150));
        assert!(is_caught.contains(&true), "{fault:?} was not seen");
    }
}
