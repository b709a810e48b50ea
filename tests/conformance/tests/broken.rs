//! The suite can fail: each adapter here breaks one promise, as real ones did, and the case of that
//! name must say so.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test, helpers included")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{Adapter, Capabilities, Copied, Created, Error, ErrorKind, Folder, Key, Page};
use db_to_cloud_conformance::{Options, run_with};

/// What the adapter does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// The server ignores `If-None-Match`, and every create is new.
    CreateOverwrites,
    /// It answers "occupied", but has replaced the content.
    OccupiedButReplaced,
    /// It looks first, and then writes.
    CreateChecksThenPuts,
    /// Its log slots, and only they, are overwritten.
    SlotsOverwrite,
    /// The object grows while it is read.
    CreateInTwoHalves,
    PutInTwoHalves,
    /// A new content is written over the old, which is not cut off.
    PutForgetsToTruncate,
    /// A server that has an end of its own.
    GetTruncates,
    EmptyIsNone,
    MissingIsEmpty,
    DeletingMissingFails,
    DeleteDoesNothing,
    TopFails,
    /// Any status but 200 is taken for 404.
    FailureIsAbsence,
    ListLosesSecondPage,
    ListRepeatsAKey,
    ListShowsEverything,
    /// The server knows no ranges, and nobody cuts off what it sends.
    StartIsTheWhole,
    /// A range that is cut down to a round number.
    StartIsShort,
    /// The last bytes.
    StartIsTheEnd,
    /// 416, whose object has no first byte.
    EmptyHasNoStart,
    MissingStartIsEmpty,
    NamesLackTheSlash,
    /// Only names that are keys of ours.
    NamesLoseTheTop,
    NamesIgnoreTheBound,
    NamesLoseSecondPage,
    NamesOfNothingFail,
    GetManyForgetsOrder,
    DeleteManyStopsAtMissing,
    /// The server does not know the header of a copy, and stores the empty body.
    CopyIsEmpty,
    /// The server moves instead.
    CopyMoves,
    /// The copy is a link: it changes with the original.
    CopyIsShared,
    /// What is absent is copied as an empty object.
    MissingIsCopied,
    /// The server refuses to write over what is there, and that is taken for an original that is absent.
    CopyOverIsMissing,
    /// The server deletes what is there, and then looks whether there is anything to copy.
    CopyDeletesFirst,
    CopyManyForgetsOrder,
    /// A cache that is not told what others write.
    StaleCache,
    GetPanics,
    GetHangs,
}

#[derive(Debug)]
struct Broken {
    fault: Fault,
    storage: MemoryAdapter,
    cache: Mutex<HashMap<Key, Option<Bytes>>>,
    links: Mutex<Vec<(Key, Key)>>,
}

impl Broken {
    fn client(fault: Fault, storage: MemoryAdapter) -> Arc<dyn Adapter> {
        Arc::new(Self { fault, storage, cache: Mutex::default(), links: Mutex::default() })
    }

    async fn write_in_two_halves(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        self.storage.put(key, bytes.slice(..bytes.len() / 2)).await?;
        tokio::time::sleep(Duration::from_millis(2)).await;
        self.storage.put(key, bytes).await
    }

    fn fails<T>(&self, operation: &'static str) -> Result<T, Error> {
        Err(Error::new(ErrorKind::Unavailable, operation).with_message("planted"))
    }
}

#[async_trait]
impl Adapter for Broken {
    fn capabilities(&self) -> Capabilities {
        self.storage.capabilities()
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        match self.fault {
            Fault::FailureIsAbsence => return Ok(None),
            Fault::GetPanics => panic!("planted"),
            Fault::GetHangs => std::future::pending().await,
            Fault::TopFails if key.split().is_none() => return self.fails("get"),
            _ => {}
        }
        let got = self.storage.get(key).await?;
        Ok(match self.fault {
            Fault::GetTruncates => got.map(|bytes| bytes.slice(..bytes.len().min(1 << 20))),
            Fault::EmptyIsNone => got.filter(|bytes| !bytes.is_empty()),
            Fault::MissingIsEmpty => got.or(Some(Bytes::new())),
            Fault::StaleCache => {
                self.cache.lock().unwrap().entry(key.clone()).or_insert(got).clone()
            }
            _ => got,
        })
    }

    async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        match self.fault {
            Fault::FailureIsAbsence => return self.fails("put"),
            Fault::PutInTwoHalves => return self.write_in_two_halves(key, bytes).await,
            Fault::PutForgetsToTruncate => {
                let old = self.storage.get(key).await?.unwrap_or_default();
                let tail = old.get(bytes.len()..).unwrap_or_default();
                return self.storage.put(key, [&bytes[..], tail].concat().into()).await;
            }
            _ => {}
        }
        self.cache.lock().unwrap().insert(key.clone(), Some(bytes.clone()));
        let links = self.links.lock().unwrap().clone();
        for (_, linked) in links.iter().filter(|(original, _)| original == key) {
            self.storage.put(linked, bytes.clone()).await?;
        }
        self.storage.put(key, bytes).await
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Error> {
        let overwrites = match self.fault {
            Fault::FailureIsAbsence => return self.fails("create"),
            Fault::CreateOverwrites => true,
            Fault::SlotsOverwrite => key.slot().is_some(),
            _ => false,
        };
        if overwrites {
            self.storage.put(key, bytes).await?;
            return Ok(Created::New);
        }
        if self.storage.get(key).await?.is_some() {
            if self.fault == Fault::OccupiedButReplaced {
                self.storage.put(key, bytes).await?;
            }
            return Ok(Created::Occupied);
        }
        match self.fault {
            Fault::CreateChecksThenPuts => {
                tokio::task::yield_now().await;
                self.storage.put(key, bytes).await?;
            }
            Fault::CreateInTwoHalves => self.write_in_two_halves(key, bytes).await?,
            _ => return self.storage.create(key, bytes).await,
        }
        Ok(Created::New)
    }

    async fn copy(&self, from: &Key, to: &Key) -> Result<Copied, Error> {
        let occupied = self.storage.get(to).await?.is_some();
        let missing = self.storage.get(from).await?.is_none();
        match self.fault {
            Fault::FailureIsAbsence => return Ok(Copied::Missing),
            Fault::CopyIsEmpty if !missing => self.storage.put(to, Bytes::new()).await?,
            Fault::MissingIsCopied if missing => self.storage.put(to, Bytes::new()).await?,
            Fault::CopyOverIsMissing if occupied => return Ok(Copied::Missing),
            Fault::CopyDeletesFirst => {
                self.storage.delete(to).await?;
                return self.storage.copy(from, to).await;
            }
            Fault::CopyMoves if !missing => {
                self.storage.copy(from, to).await?;
                self.storage.delete(from).await?;
            }
            Fault::CopyIsShared => {
                let linked = (from.clone(), to.clone());
                self.links.lock().unwrap().push(linked);
                return self.storage.copy(from, to).await;
            }
            _ => {
                self.cache.lock().unwrap().remove(to);
                return self.storage.copy(from, to).await;
            }
        }
        Ok(Copied::Done)
    }

    async fn copy_many(&self, pairs: Vec<(Key, Key)>) -> Vec<Result<Copied, Error>> {
        let mut answers = Vec::new();
        for (from, to) in &pairs {
            answers.push(self.copy(from, to).await);
        }
        if self.fault == Fault::CopyManyForgetsOrder {
            answers.sort_by_key(|answer| matches!(answer, Ok(Copied::Missing)));
        }
        answers
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        match self.fault {
            Fault::FailureIsAbsence => return self.fails("delete"),
            Fault::DeleteDoesNothing => return Ok(()),
            Fault::DeletingMissingFails if self.storage.get(key).await?.is_none() => {
                return self.fails("delete");
            }
            _ => {}
        }
        self.cache.lock().unwrap().insert(key.clone(), None);
        self.storage.delete(key).await
    }

    async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Error> {
        let mut answer = self.storage.list(folder, page).await?;
        match self.fault {
            Fault::FailureIsAbsence => return Ok(Page::default()),
            Fault::ListLosesSecondPage => answer.next = None,
            Fault::ListRepeatsAKey if page.is_some() => {
                answer.keys.push(Key::parse(page.unwrap())?)
            }
            Fault::ListShowsEverything => {
                answer = Page { keys: self.storage.objects().keys().cloned().collect(), next: None }
            }
            _ => {}
        }
        Ok(answer)
    }

    async fn get_start(&self, key: &Key, at_most: usize) -> Result<Option<Bytes>, Error> {
        let whole = self.get(key).await?;
        if self.fault == Fault::EmptyHasNoStart && whole.as_ref().is_some_and(Bytes::is_empty) {
            return self.fails("get");
        }
        let cut = |bytes: Bytes| match self.fault {
            Fault::StartIsTheWhole => bytes,
            Fault::StartIsShort => bytes.slice(..bytes.len().min(at_most).min(2048)),
            Fault::StartIsTheEnd => bytes.slice(bytes.len() - bytes.len().min(at_most)..),
            _ => bytes.slice(..bytes.len().min(at_most)),
        };
        let start = whole.map(cut);
        let missing_is_empty = self.fault == Fault::MissingStartIsEmpty;
        Ok(if missing_is_empty { start.or(Some(Bytes::new())) } else { start })
    }

    async fn names(&self, folder: Option<Folder>, at_most: usize) -> Result<Vec<String>, Error> {
        let at_most = match self.fault {
            Fault::FailureIsAbsence => return Ok(Vec::new()),
            Fault::NamesIgnoreTheBound => 1_000_000,
            Fault::NamesLoseSecondPage => at_most.min(1000),
            _ => at_most,
        };
        let mut names = self.storage.names(folder, at_most).await?;
        match self.fault {
            Fault::NamesOfNothingFail if names.is_empty() && at_most > 0 => {
                return self.fails("list");
            }
            Fault::NamesLoseTheTop => names.retain(|name| folder.is_some() || name.ends_with('/')),
            Fault::NamesLackTheSlash => {
                names = names.iter().map(|name| name.trim_end_matches('/').to_owned()).collect();
            }
            _ => {}
        }
        Ok(names)
    }

    async fn get_many(&self, keys: &[Key]) -> Vec<Result<Option<Bytes>, Error>> {
        let mut answers = Vec::new();
        for key in keys {
            answers.push(self.get(key).await);
        }
        if self.fault == Fault::GetManyForgetsOrder {
            answers.sort_by_key(|answer| !matches!(answer, Ok(Some(_))));
        }
        answers
    }

    async fn delete_many(&self, keys: &[Key]) -> Vec<Result<(), Error>> {
        let mut answers = Vec::new();
        let mut stopped = false;
        for key in keys {
            let missing = self.storage.get(key).await.unwrap().is_none();
            stopped |= missing && self.fault == Fault::DeleteManyStopsAtMissing;
            answers.push(if stopped { Ok(()) } else { self.delete(key).await });
        }
        answers
    }
}

/// Runs the suite on the broken adapter; the case must be among those that failed.
async fn caught(fault: Fault, case: &str) {
    let storage = MemoryAdapter::new();
    let adapter = Broken::client(fault, storage.clone());
    let timeout = if fault == Fault::GetHangs { 50 } else { 20_000 };
    let mut options = Options::new()
        .with_other(Broken::client(fault, storage))
        .with_empty(Broken::client(fault, MemoryAdapter::new()))
        .with_listed_keys(1500)
        .with_large_object(2 << 20)
        .with_patience(Duration::from_millis(300))
        .with_case_timeout(Duration::from_millis(timeout));
    if fault == Fault::FailureIsAbsence {
        options = options.with_unreachable(Broken::client(fault, MemoryAdapter::new()));
    }
    let failed = run_with(adapter, options).await.failed();
    assert!(failed.contains(&case), "{fault:?} was caught by {failed:?} only");
}

macro_rules! each_is_caught {
    ($($test:ident: $fault:ident => $case:ident;)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            caught(Fault::$fault, stringify!($case)).await;
        }
    )+};
}

each_is_caught! {
    an_overwriting_create_is_caught: CreateOverwrites => create_on_a_present_key_changes_nothing;
    an_overwriting_create_is_caught_when_sent_twice:
        CreateOverwrites => a_create_whose_answer_was_lost_is_read_back;
    a_replaced_occupied_object_is_caught:
        OccupiedButReplaced => create_on_a_present_key_changes_nothing;
    a_create_that_looks_first_is_caught: CreateChecksThenPuts => create_is_exclusive;
    an_overwritten_slot_is_caught: SlotsOverwrite => log_slots_are_created_once;
    an_overwritten_slot_is_caught_in_the_race: SlotsOverwrite => create_is_exclusive;
    a_torn_slot_is_caught: CreateInTwoHalves => a_create_is_never_seen_in_part;
    a_torn_dropped_create_is_caught: CreateInTwoHalves => a_dropped_create_leaves_nothing_or_all;
    a_torn_dropped_put_is_caught: PutInTwoHalves => a_dropped_put_leaves_old_or_new;
    a_missing_truncate_is_caught: PutForgetsToTruncate => put_replaces_the_object;
    a_truncated_body_is_caught: GetTruncates => a_large_object_comes_back_whole;
    an_empty_object_taken_for_none_is_caught: EmptyIsNone => an_object_comes_back_whole;
    a_missing_object_taken_for_empty_is_caught: MissingIsEmpty => a_missing_object_is_none;
    an_error_on_deleting_a_missing_object_is_caught:
        DeletingMissingFails => deleting_a_missing_object_is_ok;
    a_delete_that_does_nothing_is_caught: DeleteDoesNothing => a_deleted_object_is_gone;
    keys_without_a_folder_are_tested: TopFails => an_object_without_a_folder_comes_back_whole;
    an_error_taken_for_absence_is_caught:
        FailureIsAbsence => an_unreachable_storage_is_an_error_not_an_absence;
    a_lost_second_page_is_caught: ListLosesSecondPage => list_shows_each_key_once;
    a_repeated_key_is_caught: ListRepeatsAKey => list_shows_each_key_once;
    a_list_of_all_folders_is_caught: ListShowsEverything => list_shows_only_its_folder;
    a_start_that_is_not_cut_off_is_caught: StartIsTheWhole => a_start_is_the_first_bytes;
    a_start_of_a_large_object_that_is_not_cut_off_is_caught:
        StartIsTheWhole => a_start_of_a_large_object_is_short;
    a_start_that_is_too_short_is_caught: StartIsShort => a_start_is_the_first_bytes;
    an_end_taken_for_the_start_is_caught: StartIsTheEnd => a_start_is_the_first_bytes;
    an_empty_object_without_a_start_is_caught:
        EmptyHasNoStart => a_start_of_an_empty_object_is_empty;
    a_missing_start_taken_for_empty_is_caught:
        MissingStartIsEmpty => a_start_of_a_missing_object_is_none;
    folders_named_as_objects_are_caught: NamesLackTheSlash => names_show_what_lies_around;
    a_top_that_is_not_named_is_caught: NamesLoseTheTop => names_show_what_lies_around;
    too_many_names_are_caught: NamesIgnoreTheBound => names_are_as_many_as_wanted;
    a_lost_second_page_of_names_is_caught: NamesLoseSecondPage => names_go_on_after_a_page;
    an_error_on_a_missing_folder_is_caught: NamesOfNothingFail => an_empty_storage_has_no_names;
    answers_out_of_order_are_caught: GetManyForgetsOrder => get_many_answers_in_order;
    a_batch_that_stops_is_caught: DeleteManyStopsAtMissing => delete_many_deletes_just_these;
    an_empty_copy_is_caught:
        CopyIsEmpty => a_copy_has_the_bytes_of_the_original_and_outlives_it;
    a_move_is_no_copy: CopyMoves => a_copy_has_the_bytes_of_the_original_and_outlives_it;
    a_shared_copy_is_caught: CopyIsShared => a_copy_is_an_object_of_its_own;
    a_copy_of_nothing_is_caught:
        MissingIsCopied => a_copy_of_what_is_absent_is_missing_and_writes_nothing;
    a_refusal_taken_for_an_absence_is_caught:
        CopyOverIsMissing => a_copy_over_the_same_content_leaves_it;
    a_copy_that_deletes_is_caught: CopyDeletesFirst => a_copy_over_the_same_content_leaves_it;
    copies_out_of_order_are_caught: CopyManyForgetsOrder => copy_many_answers_in_order;
    a_stale_cache_is_caught: StaleCache => another_client_sees_a_finished_write;
    a_panic_is_caught: GetPanics => an_object_comes_back_whole;
    a_hanging_request_is_caught: GetHangs => an_object_comes_back_whole;
}

/// An outcome with failures ends the test and names them.
#[tokio::test(flavor = "multi_thread")]
#[should_panic(expected = "create_is_exclusive")]
async fn a_failed_outcome_names_each_failed_case() {
    let adapter = Broken::client(Fault::CreateOverwrites, MemoryAdapter::new());
    run_with(adapter, Options::new().with_listed_keys(10)).await.assert_passed();
}
