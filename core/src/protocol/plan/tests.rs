//! The order of a pull, what stays in one batch, and what counts as lost.

use super::*;
use crate::model::VersionId;

fn change(id: &str, action: Action, content: &str, len: u64) -> Change {
    Change {
        id: id.into(),
        rev: Revision::of_content(content.as_bytes()),
        action,
        vid: VersionId::from(7),
        base: None,
        len,
        hash: ContentHash::of(content.as_bytes()),
        body: None,
        seen: None,
        attr: Default::default(),
        other: Default::default(),
    }
}

fn put(id: &str, content: &str, order: (u64, u32)) -> PlannedWrite {
    let change = change(id, Action::Put, content, 10);
    let record = DeferredChange { order, ..DeferredChange::of(change.clone()) };
    let (expected, replaces) = (None, None);
    PlannedWrite { change, record, expected, replaces, bytes: None, moved_from: None }
}

fn delete(id: &str, content: &str, order: (u64, u32)) -> PlannedWrite {
    let change = change(id, Action::Delete, content, 0);
    let record = DeferredChange { order, ..DeferredChange::of(change.clone()) };
    let expected = Some(Revision::of_content(content.as_bytes()));
    let replaces = Some(change.hash);
    PlannedWrite { change, record, expected, replaces, bytes: None, moved_from: None }
}

fn ids(batches: &[Vec<PlannedWrite>]) -> Vec<Vec<String>> {
    let ids = |batch: &Vec<PlannedWrite>| batch.iter().map(|w| w.change.id.to_string()).collect();
    batches.iter().map(ids).collect()
}

#[test]
fn p11_puts_and_deletes_are_written_in_commit_order() {
    let writes = vec![
        delete("c", "3", (2, 0)),
        put("a", "1", (3, 1)),
        put("d", "4", (1, 0)),
        put("b", "2", (3, 0)),
    ];
    let batches = Plan::new(writes).batches(10, 1000);
    assert_eq!(ids(&batches), [["d", "c", "b", "a"]]);
}

#[test]
fn p11_an_entry_is_cut_only_if_it_is_larger_than_a_batch() {
    let entry =
        |number, count| (0..count).map(move |i| put(&format!("{number}.{i}"), "", (number, i)));
    let writes: Vec<_> = entry(1, 3).chain(entry(2, 2)).chain(entry(3, 5)).collect();
    let batches = Plan::new(writes).batches(4, 1000);
    let lengths: Vec<_> = batches.iter().map(Vec::len).collect();
    assert_eq!(lengths, [3, 2, 4, 1]);
    assert!(Plan::default().batches(4, 1000).is_empty());
}

#[test]
fn batches_are_bounded_in_bytes_but_for_one_large_document() {
    let writes: Vec<_> = (0..7).map(|i| put(&format!("{i}"), "", (1, i))).collect();
    let lengths =
        |most| Plan::new(writes.clone()).batches(100, most).iter().map(Vec::len).collect();
    let all: Vec<Vec<usize>> = [35, 10, 5].into_iter().map(lengths).collect();
    assert_eq!(all, [vec![3, 3, 1], vec![1; 7], vec![1; 7]]);
}

#[test]
fn a_put_and_the_delete_that_it_was_moved_from_are_not_separated() {
    let moves = (0..6).flat_map(|i| {
        let content = format!("content {i}");
        [delete(&format!("old{i}"), &content, (1, i)), put(&format!("z{i}"), &content, (1, 9 + i))]
    });
    let batches = Plan::new(moves.collect()).batches(3, 1000);
    assert!(batches.iter().all(|batch| batch.len() == 2), "{:?}", ids(&batches));
    for batch in &batches {
        assert_eq!(batch[0].moved_from.as_ref(), Some(&batch[1].change.id));
    }
}

#[test]
fn each_delete_is_the_source_of_one_put_and_edited_documents_of_none() {
    let edited = PlannedWrite { replaces: None, ..delete("edited", "x", (1, 0)) };
    let writes = vec![
        edited,
        delete("old", "y", (1, 1)),
        put("a", "x", (1, 2)),
        put("b", "y", (1, 3)),
        put("c", "y", (1, 4)),
    ];
    let batches = Plan::new(writes).batches(10, 1000);
    assert_eq!(ids(&batches), [["edited", "a", "b", "old", "c"]]);
    let moved: Vec<_> = batches[0].iter().map(|w| w.moved_from.is_some()).collect();
    assert_eq!(moved, [false, false, true, false, false]);
}

fn version(content: &str) -> SyncedVersion {
    let change = change("x", Action::Put, content, 10);
    SyncedVersion { vid: VersionId::from(1), ..SyncedVersion::of(&change, 0) }
}

#[test]
fn b1_what_comes_again_under_another_id_is_not_lost() {
    let mut loss = Loss::default();
    for i in 0..20 {
        let content = format!("content {i}");
        let gone = change(&format!("old{i}"), Action::Delete, &content, 0);
        loss.add(&gone, Some(&version(&content)), true);
        assert_eq!(loss.total(), i + 1);
    }
    assert!(loss.is_large(20) && loss.is_large_scan(20));
    for i in 0..20 {
        let content = format!("content {i}");
        loss.add(&change(&format!("new{i}"), Action::Put, &content, 10), None, true);
    }
    assert_eq!((loss.total(), loss.deletes()), (0, 0));
    assert!(!loss.is_large(20) && !loss.is_large_scan(20));
}

#[test]
fn b1_replaced_documents_count_where_the_database_guards_them() {
    for guards in [true, false] {
        let mut loss = Loss::default();
        for i in 0..20 {
            let put = change(&format!("{i}"), Action::Put, "encrypted", 10);
            loss.add(&put, Some(&version("mine")), guards);
            loss.add(&put, Some(&version("encrypted")), guards);
        }
        assert_eq!(loss.total(), if guards { 20 } else { 0 });
        assert_eq!(loss.is_large(39), guards);
        assert!(!loss.is_large(40));
    }
}

#[test]
fn b1_a_scan_that_misses_all_of_two_or_more_documents_is_asked_about() {
    let mut loss = Loss::default();
    for all in 1..=10 {
        loss.lose(ContentHash::of(format!("{all}").as_bytes()));
        assert!(loss.is_large_scan(all) == (all > 1) && !loss.is_large(all));
        assert!(!loss.is_large_scan(all + 1));
    }
    assert!(!Loss::default().is_large_scan(0));
}
