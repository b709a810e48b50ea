//! What each write of a batch needs, found out before anything is changed.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use db_to_cloud::Write;

use crate::attributes::Wanted;
use crate::content::{Hash, hash_of, revision};
use crate::error::FolderError;
use crate::folders::Folders;
use crate::guarded::is_guarded;
use crate::install::{Applied, Job, Over, Staged};
use crate::limbo::Limbo;
use crate::obstacle::{Deletes, Obstacle, Place, lack, place};
use crate::path::DocumentPath;
use crate::shared::Shared;
use crate::survey::look;

/// A write of a batch on its way.
#[derive(Debug)]
pub(crate) struct Item<'a> {
    pub(crate) write: &'a Write,
    /// `None` if it cannot be written at all.
    pub(crate) job: Option<Job<'a>>,
    pub(crate) step: Step,
    /// The deletes of the batch that make room for it, or whose file it takes over.
    pub(crate) needs: Vec<usize>,
}

#[derive(Debug)]
pub(crate) enum Step {
    Over(Result<Applied, FolderError>),
    /// A delete of a file that has this content.
    Delete(Hash),
    Put(Put),
}

/// A put that may be made as far as is known.
#[derive(Debug)]
pub(crate) struct Put {
    pub(crate) over: Option<Over>,
    pub(crate) obstacles: Vec<Obstacle>,
    /// The delete of the batch whose file becomes this one.
    pub(crate) source: Option<usize>,
    pub(crate) staged: Option<Staged>,
    pub(crate) hash: Hash,
}

impl<'a> Item<'a> {
    /// Compares a document with what its write expects. Nothing is changed.
    pub(crate) fn new(shared: &'a Shared, folders: &'a Folders<'a>, write: &'a Write) -> Self {
        let (job, step) = match DocumentPath::parse(&write.id) {
            Err(error) => (None, Step::Over(Err(error))),
            Ok(path) => match may_write(shared, folders, &path, write) {
                Err(error) => (None, Step::Over(Err(error))),
                Ok(limbo) => {
                    let job = Job {
                        shared,
                        folders,
                        path,
                        limbo,
                        written: None,
                        made_executable: false,
                        touched: Vec::new(),
                    };
                    let step = check(&job, write).unwrap_or_else(|e| Step::Over(Err(e)));
                    (Some(job), step)
                }
            },
        };
        Self { write, job, step, needs: Vec::new() }
    }

    /// What the write says of the permission bits of its file.
    pub(crate) fn wanted(&self) -> Wanted {
        let document = self.write.document.as_ref();
        document.map_or_else(Wanted::default, |document| Wanted::of(&document.attributes))
    }

    pub(crate) fn put(&mut self) -> Option<&mut Put> {
        match &mut self.step {
            Step::Put(put) => Some(put),
            _ => None,
        }
    }

    /// Its job and the put, if it is one.
    pub(crate) fn job_and_put(&mut self) -> Option<(&mut Job<'a>, &mut Put)> {
        match (&mut self.job, &mut self.step) {
            (Some(job), Step::Put(put)) => Some((job, put)),
            _ => None,
        }
    }

    /// Ends it. What is in the limbo for it is thrown away.
    pub(crate) fn end(&mut self, result: Result<Applied, FolderError>) {
        if let Some((job, put)) = self.job_and_put()
            && let Some(name) = put.staged.take().and_then(|staged| staged.name)
        {
            job.limbo.remove(&name);
        }
        self.step = Step::Over(result);
    }

    pub(crate) fn path(&self) -> &str {
        self.write.id.as_str().unwrap_or_default()
    }
}

/// Whether a sync may write there at all; the limbo for it.
fn may_write(
    shared: &Shared,
    folders: &Folders<'_>,
    path: &DocumentPath,
    write: &Write,
) -> Result<Arc<Limbo>, FolderError> {
    // The sync asks for no such write (rule C8).
    if !shared.selections.given()?.has(path.as_str()) {
        return Err(FolderError::Excluded { path: shared.root.full(path.as_str()) });
    }
    let is_guarded = write.document.is_some() && is_guarded(path.as_str());
    if is_guarded && !shared.records.get().guard_is_open {
        return Err(FolderError::Guarded { path: shared.root.full(path.as_str()) });
    }
    shared.is_absent("write", path)?;
    shared.limbos.of(folders, path.as_str())
}

fn check(job: &Job<'_>, write: &Write) -> Result<Step, FolderError> {
    let Some(document) = &write.document else { return check_delete(job, write) };
    let hash = hash_of(&document.bytes);
    if revision(&hash) != document.revision {
        let path = job.shared.root.full(job.path.as_str());
        return Err(FolderError::ForeignRevision { path });
    }
    let put =
        |over, obstacles| Ok(Step::Put(Put { over, obstacles, source: None, staged: None, hash }));
    let Some(expected) = &write.expected else {
        return match place(job.folders, &job.path)? {
            Place::Free => put(None, Vec::new()),
            Place::Taken(obstacles) => put(None, obstacles),
            Place::Document => Ok(Step::Over(Ok(Applied::Changed))),
        };
    };
    match job.compare(expected)? {
        None => Ok(Step::Over(Ok(Applied::Changed))),
        Some((old_hash, _)) if old_hash == hash => Ok(Step::Over(Ok(Applied::Done))),
        Some((old_hash, mode)) => {
            let expected = expected.clone();
            put(Some(Over { expected, old_hash, new_hash: hash, mode }), Vec::new())
        }
    }
}

fn check_delete(job: &Job<'_>, write: &Write) -> Result<Step, FolderError> {
    Ok(match &write.expected {
        Some(expected) => match job.compare(expected)? {
            Some((hash, _)) => Step::Delete(hash),
            None => Step::Over(Ok(Applied::Changed)),
        },
        None => match look(job.folders, "delete", &job.path)? {
            Some(_) => Step::Over(Ok(Applied::Changed)),
            None => Step::Over(Ok(Applied::Done)),
        },
    })
}

/// Finds for each put the deletes that it needs, and ends those for which there is no room.
///
/// A put that only waits for a document of a later batch does not hold back the deletes that make
/// room for it: a folder of many files that becomes a file needs several batches.
pub(crate) fn plan(shared: &Shared, items: &mut [Item<'_>]) {
    let mut deletes = Deletes::default();
    let mut sources = BTreeMap::new();
    for (i, item) in items.iter().enumerate() {
        let Some(path) = item.write.id.as_str() else { continue };
        deletes.named.insert(path);
        if let Step::Delete(hash) = &item.step {
            deletes.ready.insert(path, i);
            sources.insert(i, (*hash, item.job.as_ref().map(|job| job.limbo.clone())));
        }
    }
    // Many documents may be on their way into one folder, which is looked through once.
    let mut gives_way = HashSet::new();
    for item in items {
        let from = item.write.moved_from.as_ref().filter(|_| item.write.document.is_some());
        let from = from.and_then(|id| deletes.ready.get(id.as_str()?)).copied();
        item.needs.extend(from);
        let Some((job, put)) = item.job_and_put() else { continue };
        // One file becomes one other, on the same file system.
        let is_same = |from: &usize| {
            let source = sources.get(from);
            source.is_some_and(|(hash, limbo)| {
                *hash == put.hash && limbo.as_ref().is_some_and(|l| Arc::ptr_eq(l, &job.limbo))
            })
        };
        if let Some(from) = from.filter(is_same) {
            sources.remove(&from);
            put.source = Some(from);
        }
        let unknown = put.obstacles.iter().filter(|o| !gives_way.contains(*o));
        let lacks = unknown.map(|o| lack(shared, &job.path, o, &deletes));
        let lacks = lacks.collect::<Result<Vec<_>, _>>().map(|l| l.into_iter().flatten().next());
        if matches!(lacks, Ok(None)) {
            gives_way.extend(put.obstacles.iter().cloned());
        }
        let room: Vec<usize> = put.obstacles.iter().flat_map(|o| deletes.below(o.at())).collect();
        match lacks {
            Ok(None) => item.needs.extend(room),
            Ok(Some(lack)) => {
                if !lack.waits {
                    item.needs.extend(room);
                }
                item.end(Err(lack.error));
            }
            Err(error) => {
                item.needs.extend(room);
                item.end(Err(error));
            }
        }
    }
}

/// A delete is not made if a put that needs it has failed, and neither are the other puts that need
/// it.
pub(crate) fn hold_back(items: &mut [Item<'_>]) {
    loop {
        let failed = |item: &&Item<'_>| matches!(item.step, Step::Over(Err(_)));
        let held: Vec<(usize, String)> = items
            .iter()
            .filter(failed)
            .flat_map(|item| item.needs.iter().map(|i| (*i, item.path().to_owned())))
            .filter(|(i, _)| matches!(items[*i].step, Step::Delete(_)))
            .collect();
        if held.is_empty() {
            return;
        }
        for (i, place) in held {
            let path = full(&items[i]);
            items[i].end(Err(FolderError::HeldBack { path, place }));
        }
        for i in 0..items.len() {
            let waits = |need: &usize| matches!(items[*need].step, Step::Over(Err(_)));
            if matches!(items[i].step, Step::Put(_)) && items[i].needs.iter().any(waits) {
                let path = full(&items[i]);
                items[i].end(Err(FolderError::InTheWay { path, what: "document" }));
            }
        }
    }
}

pub(crate) fn full(item: &Item<'_>) -> std::path::PathBuf {
    item.job.as_ref().map_or_else(Default::default, |job| job.shared.root.full(item.path()))
}
