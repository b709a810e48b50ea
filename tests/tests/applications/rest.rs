//! All devices sync until nothing moves, and everything is compared.

use std::collections::HashSet;
use std::sync::PoisonError;

use db_to_cloud::Report;

use crate::application::{Application, Tree, id_text};
use crate::device::Device;
use crate::explained::unexplained;
use crate::plan::Editors;
use crate::play::Play;
use crate::resolver::Question;

/// Rounds of syncs after which nothing may move.
const ROUNDS: usize = 8;

impl<A: Application> Play<A> {
    pub(crate) async fn rest(&mut self, must_catch_up: bool) -> Result<(), String> {
        let (first, _) = self.versions();
        let first = self.unseen.take().map_or(first, |unseen| unseen.min(first));
        self.catch_up(must_catch_up).await;
        let (earliest, latest) = self.versions();
        // What other devices wrote into a new column is not there before the program looks again.
        self.app.compare(first, latest);
        if let Some(complaint) = self.app.complaint() {
            return Err(complaint);
        }
        let editor = self.editor.take();
        let expected = editor.map(|editor| self.app.read(self.devices[editor].home()));
        let asked: usize = self.devices.iter().map(|device| device.questions.all().len()).sum();
        if let (Editors::One, Some(editor), Some(expected)) = (self.editors, editor, &expected) {
            self.check_one_sync_each(editor, expected).await?;
        }
        let reports = self.settle().await?;
        let storage = self.storage().await?;
        let trees: Vec<Tree> = self.devices.iter().map(|d| self.app.read(d.home())).collect();
        for device in &self.devices {
            if let Some(fault) = self.app.fault(device.home()) {
                return Err(format!("the database is damaged: {fault}"));
            }
        }
        if let Some(found) = trees.iter().find_map(|tree| self.app.unheard_of(tree)) {
            return Err(found);
        }
        let questions = self.questions()?;
        if self.editors == Editors::One {
            if let Some(question) = questions.get(asked..).and_then(<[_]>::first) {
                return Err(format!("one device edits, and there is a conflict: {question:?}"));
            }
            let expected = expected.unwrap_or_else(|| storage.clone());
            self.check_same(&expected, &storage, &trees, &reports)?;
            self.app.compare(earliest, latest);
            return self.check_same(&storage, &storage, &trees, &reports);
        }
        self.app.compare(earliest, latest);
        self.check_explained(&storage, &trees, &reports)?;
        self.deferred += reports.iter().map(|report| report.deferred.len()).sum::<usize>();
        let places: Vec<&Tree> = std::iter::once(&storage).chain(&trees).collect();
        let oracle = self.oracle.lock().unwrap_or_else(PoisonError::into_inner);
        oracle.check_versions(&self.app, &places, &questions)
    }

    /// One sync of each device, that of the editor first, brings everything.
    async fn check_one_sync_each(&self, editor: usize, expected: &Tree) -> Result<(), String> {
        let others = (0..self.devices.len()).filter(|i| *i != editor);
        for i in std::iter::once(editor).chain(others) {
            let Report { deferred, pushed, .. } = self.devices[i].sync().await?;
            // What triggers and foreign keys do while a sync writes is no edit.
            if i != editor && pushed > 0 && self.app.versions() == 0 {
                return Err(format!("device {i}, which edited nothing, pushed {pushed} edits"));
            }
            let tree = self.app.read(self.devices[i].home());
            let [right, is] = [expected, &tree].map(|tree| self.app.folded(tree.clone()));
            if right != is || !deferred.is_empty() {
                let difference = difference(&right, &is);
                return Err(format!(
                    "after one sync device {i} has {difference}; deferred: {deferred:?}"
                ));
            }
        }
        Ok(())
    }

    /// Everybody syncs in turn until nothing moves; the last reports.
    async fn settle(&mut self) -> Result<Vec<Report>, String> {
        let mut reports = Vec::new();
        for _ in 0..ROUNDS {
            let different = |device: &Device<A>| device.questions.different();
            let asked: usize = self.devices.iter().map(different).sum();
            reports.clear();
            for device in &self.devices {
                reports.push(device.sync().await?);
            }
            let moved = |r: &Report| r.pulled + r.pushed + r.deleted > 0;
            let asked_now: usize = self.devices.iter().map(different).sum();
            if asked == asked_now && !reports.iter().any(moved) {
                return Ok(reports);
            }
        }
        Err(format!("after {ROUNDS} rounds of syncs something still moves: {reports:?}"))
    }

    async fn storage(&self) -> Result<Tree, String> {
        let (documents, client) = &self.observer;
        let options = db_to_cloud::SyncOptions { accept_deletes: true, ..Default::default() };
        let report = client.sync_with(options).await;
        let report = report.map_err(|error| format!("the observer cannot sync: {error}"))?;
        if !report.deferred.is_empty() {
            return Err(format!("the storage is damaged: {:?}", report.deferred));
        }
        let documents = documents.documents();
        let texts = documents.iter().map(|(id, d)| (id_text(id), self.app.text(d)));
        Ok(texts.collect())
    }

    fn questions(&self) -> Result<Vec<Question>, String> {
        let mut all = Vec::new();
        for (i, device) in self.devices.iter().enumerate() {
            if let Some(question) = device.questions.repeated() {
                return Err(format!("device {i} was asked twice: {question:?}"));
            }
            let questions = device.questions.all();
            let oracle = self.oracle.lock().unwrap_or_else(PoisonError::into_inner);
            for question in questions.iter() {
                oracle.check_question(&self.app, i, question)?;
            }
            all.extend(questions.iter().cloned());
        }
        Ok(all)
    }

    /// All are as the one that edited left them.
    fn check_same(
        &self,
        expected: &Tree,
        storage: &Tree,
        trees: &[Tree],
        reports: &[Report],
    ) -> Result<(), String> {
        let expected_folded = self.app.folded(expected.clone());
        for (i, tree) in trees.iter().enumerate() {
            if self.app.folded(tree.clone()) != expected_folded {
                let deferred: Vec<_> = reports.iter().flat_map(|r| &r.deferred).collect();
                let difference = difference(expected, tree);
                return Err(format!("device {i} has {difference}; deferred: {deferred:?}"));
            }
        }
        let [right, is] = [expected, storage].map(|tree| self.app.in_storage(tree.clone()));
        if right != is {
            return Err(format!("the storage has {}", difference(&right, &is)));
        }
        match reports.iter().position(|report| !report.deferred.is_empty()) {
            Some(i) => Err(format!("device {i} still defers {:?}", reports[i].deferred)),
            None => Ok(()),
        }
    }

    /// All are as the storage, but for what is impossible; and that is reported.
    fn check_explained(
        &self,
        storage: &Tree,
        trees: &[Tree],
        reports: &[Report],
    ) -> Result<(), String> {
        let storage = self.app.folded(storage.clone());
        for (i, (tree, report)) in trees.iter().zip(reports).enumerate() {
            let tree = self.app.folded(tree.clone());
            let wrong = unexplained(&self.app, &storage, &tree);
            if !wrong.is_empty() {
                let difference = difference(&storage, &tree);
                let deferred = &report.deferred;
                return Err(format!(
                    "device {i} differs from the storage at {wrong:?}: it has {difference}; \
                     deferred: {deferred:?}"
                ));
            }
            let differs = |id: &String| storage.get(id) != tree.get(id);
            let ids: HashSet<String> = report.deferred.iter().map(|d| id_text(&d.id)).collect();
            if let Some(id) = ids.iter().find(|id| !differs(id)) {
                return Err(format!("device {i} defers {id}, which is as in the storage"));
            }
        }
        Ok(())
    }
}

/// What is missing, left over or other than it should be.
fn difference(expected: &Tree, found: &Tree) -> String {
    let mut lines = Vec::new();
    for id in expected.keys().chain(found.keys().filter(|id| !expected.contains_key(*id))) {
        let (right, is) = (expected.get(id), found.get(id));
        if right != is {
            lines.push(format!("{id}: {is:?} instead of {right:?}"));
        }
    }
    lines.truncate(8);
    lines.join(", ")
}
