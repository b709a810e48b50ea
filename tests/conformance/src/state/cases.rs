//! The cases, in the order they run.

use std::task::Poll;

use db_to_cloud::state::{StateError, StateStore, Table, Update, Written};
use futures::poll;

use super::Case;
use crate::context::{CaseResult, Stop, check, equal};

macro_rules! cases {
    ($($name:ident)+) => {
        pub(super) const ALL: &[Case] = &[$((stringify!($name), |state| Box::pin($name(state)))),+];
    };
}

cases! {
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

pub(super) fn put(table: Table, key: &str, value: &str) -> Update {
    Update { table, key: key.to_owned(), value: Some(value.as_bytes().to_vec()) }
}

pub(super) fn remove(table: Table, key: &str) -> Update {
    Update { table, key: key.to_owned(), value: None }
}

pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    Some(text.as_bytes().to_vec())
}

pub(super) async fn write(state: &dyn StateStore, updates: Vec<Update>) -> CaseResult {
    let written = state.write(vec![], updates).await?;
    equal!(written, Written::Done, "a write that expects nothing");
    Ok(())
}

pub(super) async fn value(
    state: &dyn StateStore,
    table: Table,
    key: &str,
) -> CaseResult<Option<Vec<u8>>> {
    let none = || Stop::Failed("a read of one key has no answer".to_owned());
    state.read(table, &[key.to_owned()]).await?.pop().ok_or_else(none)
}

pub(super) async fn keys(
    state: &dyn StateStore,
    table: Table,
    after: Option<&str>,
    limit: usize,
) -> CaseResult<Vec<String>> {
    Ok(state.scan(table, after, limit).await?.into_iter().map(|(key, _)| key).collect())
}

async fn a_record_that_was_written_is_read(state: &dyn StateStore) -> CaseResult {
    write(state, vec![put(Table::Index, "a", "1"), put(Table::Index, "b", "")]).await?;
    let asked = ["b", "missing", "a", "a"].map(str::to_owned);
    let read = state.read(Table::Index, &asked).await?;
    equal!(read, [bytes(""), None, bytes("1"), bytes("1")], "in the order of the keys");
    let none = state.read(Table::Index, &[]).await?;
    check!(none.is_empty(), "a read of no key has answers");
    Ok(())
}

async fn a_record_is_replaced_and_removed(state: &dyn StateStore) -> CaseResult {
    write(state, vec![put(Table::Dirty, "a", "1")]).await?;
    write(state, vec![put(Table::Dirty, "a", "2")]).await?;
    equal!(value(state, Table::Dirty, "a").await?, bytes("2"), "replaced");
    write(state, vec![remove(Table::Dirty, "a"), remove(Table::Dirty, "missing")]).await?;
    equal!(value(state, Table::Dirty, "a").await?, None, "removed");
    write(state, vec![]).await
}

async fn updates_are_made_in_their_order(state: &dyn StateStore) -> CaseResult {
    let updates = vec![
        put(Table::Pending, "a", "1"),
        remove(Table::Pending, "a"),
        put(Table::Pending, "b", "1"),
        put(Table::Pending, "b", "2"),
        put(Table::Pending, "c", "1"),
        remove(Table::Pending, "c"),
        put(Table::Pending, "c", "3"),
    ];
    write(state, updates).await?;
    for (key, last) in [("a", None), ("b", bytes("2")), ("c", bytes("3"))] {
        equal!(value(state, Table::Pending, key).await?, last, "the last update of {key}");
    }
    Ok(())
}

async fn a_write_happens_only_if_all_expected_records_are_as_given(
    state: &dyn StateStore,
) -> CaseResult {
    write(state, vec![put(Table::Dirty, "a", "1")]).await?;
    let (is_one, is_gone) = (put(Table::Dirty, "a", "1"), remove(Table::Dirty, "b"));
    let update = || vec![put(Table::Dirty, "a", "2"), put(Table::Index, "a", "x")];
    for unmet in
        [remove(Table::Dirty, "a"), put(Table::Dirty, "a", "2"), put(Table::Index, "a", "x")]
    {
        let written = state.write(vec![is_one.clone(), unmet], update()).await?;
        equal!(written, Written::Changed, "a record is not as expected");
        equal!(value(state, Table::Dirty, "a").await?, bytes("1"), "nothing is written");
        equal!(value(state, Table::Index, "a").await?, None, "nothing is written");
    }
    let written = state.write(vec![is_one, is_gone], update()).await?;
    equal!(written, Written::Done, "all records are as expected");
    equal!(value(state, Table::Dirty, "a").await?, bytes("2"), "written");
    Ok(())
}

async fn tables_do_not_mix(state: &dyn StateStore) -> CaseResult {
    for table in Table::ALL {
        write(state, vec![put(table, "key", table.name())]).await?;
    }
    for table in Table::ALL {
        equal!(value(state, table, "key").await?, bytes(table.name()), "{table:?}");
        equal!(keys(state, table, None, 9).await?, ["key"], "{table:?}");
        equal!(state.count(table).await?, 1, "{table:?}");
    }
    write(state, vec![remove(Table::Index, "key")]).await?;
    equal!(state.count(Table::Index).await?, 0, "removed here");
    equal!(state.count(Table::Tombstones).await?, 1, "and not there");
    Ok(())
}

/// In the order of their bytes.
const AWKWARD: [&str; 12] =
    ["", "\0", "\0\0", "A", "B", "a", "a\0", "a\0b", "a%_", "aa", "e\u{301}", "é"];

async fn keys_are_any_strings_and_scanned_in_the_order_of_their_bytes(
    state: &dyn StateStore,
) -> CaseResult {
    let mut updates: Vec<_> = AWKWARD.iter().map(|key| put(Table::Index, key, key)).collect();
    updates.reverse();
    write(state, updates).await?;
    equal!(keys(state, Table::Index, None, 100).await?, AWKWARD, "all");
    for (i, key) in AWKWARD.iter().enumerate() {
        equal!(value(state, Table::Index, key).await?, bytes(key), "{key:?}");
        let after = keys(state, Table::Index, Some(key), 100).await?;
        equal!(after, AWKWARD[i + 1..], "after {key:?}");
    }
    Ok(())
}

async fn a_scan_in_pages_sees_each_record_once(state: &dyn StateStore) -> CaseResult {
    let updates = (0..100).map(|i| put(Table::GcSeen, &format!("{i:03}"), "")).collect();
    write(state, updates).await?;
    let mut seen = Vec::new();
    loop {
        let page = keys(state, Table::GcSeen, seen.last().map(String::as_str), 7).await?;
        check!(page.len() <= 7, "{} records, and 7 were asked for", page.len());
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    equal!(seen.len(), 100, "records in pages");
    equal!(state.count(Table::GcSeen).await?, 100, "records");
    for (after, limit, count) in
        [(None, 0, 0), (Some("zzz"), usize::MAX, 0), (None, usize::MAX, 100)]
    {
        let found = keys(state, Table::GcSeen, after, limit).await?.len();
        equal!(found, count, "after {after:?}, at most {limit}");
    }
    Ok(())
}

/// Rule C2, in one process.
async fn a_second_claim_is_refused_until_the_first_is_dropped(
    state: &dyn StateStore,
) -> CaseResult {
    let claim = state.claim().await?;
    for _ in 0..2 {
        let second = state.claim().await;
        check!(matches!(second, Err(StateError::Busy)), "a second claim is not `Busy`");
    }
    // An application queues an edit while a sync runs.
    write(state, vec![put(Table::Dirty, "a", "")]).await?;
    drop(claim);
    drop(state.claim().await?);
    state.claim().await?;
    Ok(())
}

async fn a_dropped_write_happens_whole_or_not_at_all_and_before_later_calls(
    state: &dyn StateStore,
) -> CaseResult {
    for round in 0..200 {
        let key = |i: usize| format!("{round}-{i}");
        let all = (0..20).map(|i| put(Table::Index, &key(i), "old")).collect();
        let mut dropped = Box::pin(state.write(vec![], all));
        // Polled a different number of times, then dropped wherever it is.
        for _ in 0..round % 4 {
            if let Poll::Ready(result) = poll!(&mut dropped) {
                result?;
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(dropped);
        write(state, vec![put(Table::Index, &key(0), "new")]).await?;
        let written = keys(state, Table::Index, Some(&format!("{round}-")), 100).await?;
        let written = written.iter().filter(|k| k.starts_with(&format!("{round}-"))).count();
        check!(written == 20 || written == 1, "round {round}: {written} of 20 records are written");
        equal!(value(state, Table::Index, &key(0)).await?, bytes("new"), "round {round}");
    }
    Ok(())
}
