//! What the trait `State` promises, asked of the SQLite state and of the one in memory alike
//! (rule C1).
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

use std::task::Poll;

use db_to_cloud::memory::MemoryState;
use db_to_cloud::state::{State, StateError, Table, Update, Written};
use db_to_cloud_sqlite::SqliteState;
use futures::poll;

fn put(table: Table, key: &str, value: &str) -> Update {
    Update { table, key: key.to_owned(), value: Some(value.as_bytes().to_vec()) }
}

fn remove(table: Table, key: &str) -> Update {
    Update { table, key: key.to_owned(), value: None }
}

async fn value(state: &dyn State, table: Table, key: &str) -> Option<Vec<u8>> {
    state.read(table, &[key.to_owned()]).await.unwrap().pop().unwrap()
}

async fn keys(state: &dyn State, table: Table, after: Option<&str>, limit: usize) -> Vec<String> {
    state.scan(table, after, limit).await.unwrap().into_iter().map(|(key, _)| key).collect()
}

async fn a_record_that_was_written_is_read(state: &dyn State) {
    state
        .write(vec![], vec![put(Table::Index, "a", "1"), put(Table::Index, "b", "")])
        .await
        .unwrap();
    let asked = ["b", "missing", "a", "a"].map(str::to_owned);
    let read = state.read(Table::Index, &asked).await.unwrap();
    let one = || Some(b"1".to_vec());
    assert_eq!(read, [Some(Vec::new()), None, one(), one()], "in the order of the keys");
    assert!(state.read(Table::Index, &[]).await.unwrap().is_empty());
}

async fn a_record_is_replaced_and_removed(state: &dyn State) {
    state.write(vec![], vec![put(Table::Dirty, "a", "1")]).await.unwrap();
    state.write(vec![], vec![put(Table::Dirty, "a", "2")]).await.unwrap();
    assert_eq!(value(state, Table::Dirty, "a").await, Some(b"2".to_vec()));
    state
        .write(vec![], vec![remove(Table::Dirty, "a"), remove(Table::Dirty, "missing")])
        .await
        .unwrap();
    assert_eq!(value(state, Table::Dirty, "a").await, None);
    state.write(vec![], vec![]).await.unwrap();
}

async fn updates_are_made_in_their_order(state: &dyn State) {
    let updates = vec![
        put(Table::Pending, "a", "1"),
        remove(Table::Pending, "a"),
        put(Table::Pending, "b", "1"),
        put(Table::Pending, "b", "2"),
        put(Table::Pending, "c", "1"),
        remove(Table::Pending, "c"),
        put(Table::Pending, "c", "3"),
    ];
    state.write(vec![], updates).await.unwrap();
    assert_eq!(value(state, Table::Pending, "a").await, None);
    assert_eq!(value(state, Table::Pending, "b").await, Some(b"2".to_vec()));
    assert_eq!(value(state, Table::Pending, "c").await, Some(b"3".to_vec()));
}

async fn a_write_happens_only_if_all_expected_records_are_as_given(state: &dyn State) {
    state.write(vec![], vec![put(Table::Dirty, "a", "1")]).await.unwrap();
    let (is_one, is_gone) = (put(Table::Dirty, "a", "1"), remove(Table::Dirty, "b"));
    let update = || vec![put(Table::Dirty, "a", "2"), put(Table::Index, "a", "x")];
    for unmet in
        [remove(Table::Dirty, "a"), put(Table::Dirty, "a", "2"), put(Table::Index, "a", "x")]
    {
        let written = state.write(vec![is_one.clone(), unmet], update()).await.unwrap();
        assert_eq!(written, Written::Changed);
        assert_eq!(value(state, Table::Dirty, "a").await, Some(b"1".to_vec()));
        assert_eq!(value(state, Table::Index, "a").await, None);
    }
    assert_eq!(state.write(vec![is_one, is_gone], update()).await.unwrap(), Written::Done);
    assert_eq!(value(state, Table::Dirty, "a").await, Some(b"2".to_vec()));
}

async fn tables_do_not_mix(state: &dyn State) {
    for table in Table::ALL {
        state.write(vec![], vec![put(table, "key", table.name())]).await.unwrap();
    }
    for table in Table::ALL {
        assert_eq!(value(state, table, "key").await, Some(table.name().into()));
        assert_eq!(keys(state, table, None, 9).await, ["key"]);
        assert_eq!(state.count(table).await.unwrap(), 1);
    }
    state.write(vec![], vec![remove(Table::Index, "key")]).await.unwrap();
    assert_eq!(state.count(Table::Index).await.unwrap(), 0);
    assert_eq!(state.count(Table::Tombstones).await.unwrap(), 1);
}

/// In the order of their bytes.
const AWKWARD: [&str; 12] =
    ["", "\0", "\0\0", "A", "B", "a", "a\0", "a\0b", "a%_", "aa", "e\u{301}", "é"];

async fn keys_are_any_strings_and_scanned_in_the_order_of_their_bytes(state: &dyn State) {
    let mut updates: Vec<_> = AWKWARD.iter().map(|key| put(Table::Index, key, key)).collect();
    updates.reverse();
    state.write(vec![], updates).await.unwrap();
    assert_eq!(keys(state, Table::Index, None, 100).await, AWKWARD);
    for (i, key) in AWKWARD.iter().enumerate() {
        assert_eq!(value(state, Table::Index, key).await, Some(key.as_bytes().to_vec()), "{key:?}");
        assert_eq!(keys(state, Table::Index, Some(key), 100).await, AWKWARD[i + 1..], "{key:?}");
    }
}

async fn a_scan_in_pages_sees_each_record_once(state: &dyn State) {
    let updates = (0..100).map(|i| put(Table::GcSeen, &format!("{i:03}"), "")).collect();
    state.write(vec![], updates).await.unwrap();
    let mut seen = Vec::new();
    loop {
        let page = keys(state, Table::GcSeen, seen.last().map(String::as_str), 7).await;
        assert!(page.len() <= 7);
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen.len(), 100);
    assert_eq!(state.count(Table::GcSeen).await.unwrap(), 100);
    assert!(keys(state, Table::GcSeen, None, 0).await.is_empty());
    assert_eq!(keys(state, Table::GcSeen, Some("zzz"), usize::MAX).await.len(), 0);
    assert_eq!(keys(state, Table::GcSeen, None, usize::MAX).await.len(), 100);
}

/// Rule C2, in one process.
async fn a_second_claim_is_refused_until_the_first_is_dropped(state: &dyn State) {
    let claim = state.claim().await.unwrap();
    for _ in 0..2 {
        assert!(matches!(state.claim().await, Err(StateError::Busy)));
    }
    // An application queues an edit while a sync runs.
    state.write(vec![], vec![put(Table::Dirty, "a", "")]).await.unwrap();
    drop(claim);
    drop(state.claim().await.unwrap());
    state.claim().await.unwrap();
}

async fn a_dropped_write_happens_whole_or_not_at_all_and_before_later_calls(state: &dyn State) {
    for round in 0..200 {
        let key = |i: usize| format!("{round}-{i}");
        let dropped =
            state.write(vec![], (0..20).map(|i| put(Table::Index, &key(i), "old")).collect());
        let mut dropped = Box::pin(dropped);
        // Polled a different number of times, then dropped wherever it is.
        for _ in 0..round % 4 {
            if let Poll::Ready(result) = poll!(&mut dropped) {
                result.unwrap();
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(dropped);
        let last = vec![put(Table::Index, &key(0), "new")];
        state.write(vec![], last).await.unwrap();
        let written = keys(state, Table::Index, Some(&format!("{round}-")), 100).await;
        let written = written.iter().filter(|k| k.starts_with(&format!("{round}-"))).count();
        assert!(written == 20 || written == 1, "round {round}: {written} of 20");
        assert_eq!(value(state, Table::Index, &key(0)).await, Some(b"new".to_vec()));
    }
}

/// One test for each promise and each kind of state.
macro_rules! promises {
    ($($promise:ident)*) => {
        mod in_memory {
            use super::*;
            $(#[tokio::test]
            async fn $promise() {
                super::$promise(&MemoryState::new()).await;
            })*
        }
        mod in_sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("state.sqlite");
                super::$promise(&SqliteState::open(path, "remote").unwrap()).await;
            })*
        }
    };
}
promises! {
    a_record_that_was_written_is_read
    a_record_is_replaced_and_removed
    updates_are_made_in_their_order
    a_write_happens_only_if_all_expected_records_are_as_given
    tables_do_not_mix
    keys_are_any_strings_and_scanned_in_the_order_of_their_bytes
    a_scan_in_pages_sees_each_record_once
    a_second_claim_is_refused_until_the_first_is_dropped
    a_dropped_write_happens_whole_or_not_at_all_and_before_later_calls
}
