//! How documents are written and deleted, and what is refused.
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

mod support;

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use db_to_cloud::{Database, Document, DocumentId, Outcome, Write};
use db_to_cloud_folder::FolderDatabase;
use support::{Notes, moved, notes, plain, rev, write};

async fn done(notes: &Notes, id: &str, content: Option<&str>, expected: Option<&str>) {
    let outcome = notes.apply(write(id, content, expected)).await;
    assert!(matches!(outcome, Outcome::Done), "{id}: {outcome:?}");
}

async fn changed(notes: &Notes, id: &str, content: Option<&str>, expected: Option<&str>) {
    let outcome = notes.apply(write(id, content, expected)).await;
    assert!(matches!(outcome, Outcome::Changed), "{id}: {outcome:?}");
}

/// Why a write was not made.
fn said(outcome: Outcome) -> String {
    match outcome {
        Outcome::Blocked(error) | Outcome::Refused(error) => error.to_string(),
        Outcome::Done | Outcome::DoneAs(_) | Outcome::Changed => String::new(),
    }
}

async fn refused(notes: &Notes, id: &str, content: Option<&str>, expected: Option<&str>) -> String {
    let outcome = notes.apply(write(id, content, expected)).await;
    assert!(matches!(outcome, Outcome::Refused(_)), "{id}: {outcome:?}");
    said(outcome)
}

async fn blocked(notes: &Notes, id: &str, content: Option<&str>, expected: Option<&str>) -> String {
    let outcome = notes.apply(write(id, content, expected)).await;
    assert!(matches!(outcome, Outcome::Blocked(_)), "{id}: {outcome:?}");
    said(outcome)
}

#[tokio::test]
async fn a_document_is_made_replaced_and_deleted() {
    let notes = notes();
    done(&notes, "a/b/c.md", Some("one"), None).await;
    assert_eq!(notes.content("a/b/c.md"), b"one");
    assert_eq!(plain(notes.get("a/b/c.md").await), Some(Document::of_content("one")));
    done(&notes, "a/b/c.md", Some("two"), Some("one")).await;
    assert_eq!(plain(notes.get("a/b/c.md").await), Some(Document::of_content("two")));
    done(&notes, "a/b/c.md", None, Some("two")).await;
    assert_eq!(notes.get("a/b/c.md").await, None);
    assert!(notes.path.exists());
    assert!(!notes.has("a"), "folders that became empty are removed");
    assert!(notes.ids().await.is_empty());
}

#[tokio::test]
async fn a_write_that_expects_something_else_changes_nothing() {
    let notes = notes();
    notes.save("a", "edit");
    changed(&notes, "a", Some("new"), None).await;
    changed(&notes, "a", Some("new"), Some("old")).await;
    changed(&notes, "a", None, Some("old")).await;
    changed(&notes, "a", None, None).await;
    changed(&notes, "missing", Some("new"), Some("old")).await;
    changed(&notes, "missing/too", None, Some("old")).await;
    changed(&notes, "a/b", Some("new"), Some("old")).await;
    done(&notes, "missing", None, None).await;
    assert_eq!(notes.content("a"), b"edit");
    assert_eq!(notes.ids().await, ["a"]);
    assert!(notes.left_over().is_empty());
}

#[tokio::test]
async fn a_revision_of_another_kind_is_never_the_expected_one() {
    let notes = notes();
    notes.save("a", "one");
    let upper = db_to_cloud::Revision::new(rev("one").as_str().to_uppercase());
    for expected in ["7".into(), "".into(), upper] {
        let write = Write { expected: Some(expected), ..write("a", Some("two"), None) };
        assert!(matches!(notes.apply(write).await, Outcome::Changed));
    }
    let document = Some(Document::new("7", "content"));
    let foreign = Write { document, ..write("b", None, None) };
    let Outcome::Refused(error) = notes.apply(foreign).await else { panic!("it was taken") };
    let message = error.to_string();
    assert!(message.contains("not pushed from a folder"), "{message}");
    assert!(!notes.has("b"));
}

#[tokio::test]
async fn an_edit_just_before_the_write_is_not_overwritten_even_if_size_and_time_are_the_same() {
    let notes = notes();
    notes.save("a", "one");
    let path = notes.path.join("a");
    let before = fs::metadata(&path).unwrap();
    notes.list().await;
    fs::write(&path, "two").unwrap();
    let times = fs::FileTimes::new().set_modified(before.modified().unwrap());
    fs::File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
    changed(&notes, "a", Some("new"), Some("one")).await;
    assert_eq!(notes.content("a"), b"two");
}

#[cfg(unix)]
#[tokio::test]
async fn the_permissions_of_a_replaced_file_are_kept() {
    let notes = notes();
    for mode in [0o600, 0o640, 0o755, 0o444] {
        notes.save("a", "one");
        let path = notes.path.join("a");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        done(&notes, "a", Some("two"), Some("one")).await;
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, mode);
        fs::remove_file(&path).unwrap();
    }
    notes.save("like any", "");
    done(&notes, "new", Some("new"), None).await;
    let mode = |name: &str| fs::metadata(notes.path.join(name)).unwrap().mode();
    assert_eq!(mode("new"), mode("like any"));
}

#[tokio::test]
async fn an_id_that_cannot_be_a_safe_path_is_refused() {
    let notes = notes();
    let long = "x".repeat(256);
    let ids = [
        "",
        "/etc/x",
        "../x",
        "a/../../x",
        ".",
        "a//b",
        "a/",
        "nul\0",
        ".db-to-cloud/tmp/x",
        ".Db-To-Cloud/x",
        "sub/.db-to-cloud/x",
        &long,
    ];
    for id in ids {
        let message = refused(&notes, id, Some("hostile"), None).await;
        assert!(message.contains("cannot be a file here"), "{message}");
        refused(&notes, id, None, Some("hostile")).await;
    }
    let number = Write { id: DocumentId::from(7), ..write("", Some("x"), None) };
    assert!(matches!(notes.apply(number).await, Outcome::Refused(_)));
    assert!(notes.ids().await.is_empty());
    assert_eq!(fs::read_dir(notes.path.parent().unwrap()).unwrap().count(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_never_followed_out_of_the_folder() {
    let notes = notes();
    let outside = notes.path.with_file_name("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "secret").unwrap();
    symlink(&outside, notes.path.join("link")).unwrap();
    symlink(outside.join("secret"), notes.path.join("file")).unwrap();
    for (id, content, expected) in [
        ("link/new", Some("hostile"), None),
        ("link/deep/new", Some("hostile"), None),
        ("link/secret", Some("hostile"), Some("secret")),
        ("link/secret", None, Some("secret")),
        ("link", Some("hostile"), None),
        ("file", Some("hostile"), None),
        ("file", Some("hostile"), Some("secret")),
        ("file", None, Some("secret")),
    ] {
        let message = refused(&notes, id, content, expected).await;
        assert!(message.contains("symbolic link"), "{message}");
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(fs::read(outside.join("secret")).unwrap(), b"secret");
    assert!(notes.has("link") && notes.has("file"));
}

#[tokio::test]
async fn a_document_where_another_must_be_blocks_it_and_nothing_is_lost() {
    let notes = notes();
    notes.save("a", "file");
    notes.save("b/c", "inner");
    let message = blocked(&notes, "a/b", Some("new"), None).await;
    assert!(message.contains("a file of that name is in the way"), "{message}");
    let message = blocked(&notes, "b", Some("new"), None).await;
    assert!(message.contains("a folder of that name is in the way"), "{message}");
    changed(&notes, "b", Some("new"), Some("old")).await;
    changed(&notes, "b", None, Some("old")).await;
    assert_eq!(notes.ids().await, ["a", "b/c"]);
}

#[tokio::test]
async fn many_writes_are_answered_in_their_order_each_on_its_own() {
    let notes = notes();
    notes.save("edited", "edit");
    let mut writes: Vec<_> =
        (0..300).map(|i| write(&format!("{}/{i}", i % 5), Some(&i.to_string()), None)).collect();
    writes.insert(100, write("edited", Some("new"), Some("old")));
    writes.insert(200, write("../x", Some("new"), None));
    let answers = notes.database.apply(writes).await;
    for (i, answer) in answers.into_iter().enumerate() {
        match i {
            100 => assert!(matches!(answer, Outcome::Changed)),
            200 => assert!(matches!(answer, Outcome::Refused(_))),
            _ => assert!(matches!(answer, Outcome::Done), "{i}: {answer:?}"),
        }
    }
    assert_eq!(notes.ids().await.len(), 301);
    assert_eq!(notes.content("4/299"), b"299");
    assert!(notes.database.apply(vec![]).await.is_empty());
}

#[tokio::test]
async fn a_file_may_become_a_folder_and_a_folder_a_file_in_one_batch() {
    let notes = notes();
    notes.save("a", "file");
    notes.save("b/c/d", "inner");
    let writes = vec![
        write("a/x", Some("new"), None),
        write("b", Some("new"), None),
        write("a", None, Some("file")),
        write("b/c/d", None, Some("inner")),
    ];
    notes.all_done(writes).await;
    assert_eq!(notes.ids().await, ["a/x", "b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_future_was_dropped_is_over_before_the_next_call() {
    let notes = notes();
    for i in 0..100 {
        let id = i.to_string();
        let mut dropped = Box::pin(notes.database.apply(vec![write(&id, Some("dropped"), None)]));
        let _ = futures::poll!(&mut dropped);
        drop(dropped);
        let there = notes.get(&id).await.is_some();
        tokio::task::yield_now().await;
        assert_eq!(notes.has(&id), there);
    }
}

#[tokio::test]
async fn a_large_document_is_written_and_read() {
    let notes = notes();
    let bytes: Vec<u8> = (0..2_000_000u32).flat_map(u32::to_le_bytes).collect();
    let document = Document::of_content(bytes);
    let write = Write { document: Some(document.clone()), ..write("a", None, None) };
    notes.all_done(vec![write]).await;
    assert_eq!(plain(notes.get("a").await), Some(document.clone()));
    assert_eq!(notes.list().await["a"], document.revision, "hashed in pieces");
}

#[tokio::test]
async fn folders_that_are_not_empty_stay() {
    let notes = notes();
    notes.save("a/b/c", "c");
    notes.save("a/.hidden", "");
    done(&notes, "a/b/c", None, Some("c")).await;
    assert!(notes.has("a/.hidden") && !notes.has("a/b"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_is_needed_again_in_the_same_batch_keeps_its_permissions() {
    let notes = notes();
    notes.save("a/old", "old");
    let path = notes.path.join("a");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    let writes = vec![write("a/old", None, Some("old")), write("a/new", Some("new"), None)];
    notes.all_done(writes).await;
    assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn unfinished_files_of_a_killed_sync_are_no_documents_and_do_not_disturb() {
    let notes = notes();
    let tmp = notes.database.state_dir().join("tmp");
    fs::write(tmp.join("new-0123456789abcdef"), "half").unwrap();
    let again = FolderDatabase::open(&notes.path).unwrap();
    assert!(notes.ids().await.is_empty());
    let outcomes = again.apply(vec![write("a", Some("a"), None)]).await;
    assert!(matches!(outcomes[..], [Outcome::Done]));
}

#[cfg(unix)]
#[tokio::test]
async fn a_renamed_document_is_the_same_file_and_no_second_copy() {
    let notes = notes();
    notes.save("old/a", "text");
    notes.save("over", "before");
    notes.save("b", "other");
    let inode = |path: &str| fs::metadata(notes.path.join(path)).unwrap().ino();
    let (a, b) = (inode("old/a"), inode("b"));
    let mut open = fs::File::options().append(true).open(notes.path.join("old/a")).unwrap();
    let mut batch = Vec::from(moved("old/a", "new/a", "text"));
    let [delete, put] = moved("b", "over", "other");
    batch.extend([delete, Write { expected: Some(rev("before")), ..put }]);
    notes.all_done(batch).await;
    assert_eq!((inode("new/a"), inode("over")), (a, b));
    assert_eq!(notes.ids().await, ["new/a", "over"]);
    // A program that has it open writes on in the same document.
    std::io::Write::write_all(&mut open, b" and more").unwrap();
    assert_eq!(notes.content("new/a"), b"text and more");
}

#[tokio::test]
async fn a_rename_of_a_document_that_was_edited_here_writes_the_bytes_and_keeps_the_edit() {
    let notes = notes();
    notes.save("a", "edit");
    let outcomes = notes.database.apply(moved("a", "b", "text").into()).await;
    assert!(matches!(outcomes[..], [Outcome::Changed, Outcome::Done]), "{outcomes:?}");
    assert_eq!((notes.content("a"), notes.content("b")), (b"edit".to_vec(), b"text".to_vec()));
}

#[tokio::test]
async fn a_rename_whose_new_place_is_taken_keeps_the_old_one() {
    let notes = notes();
    notes.save("a", "text");
    notes.save("b/other", "in the way");
    let outcomes = notes.database.apply(moved("a", "b", "text").into()).await;
    assert!(matches!(outcomes[..], [Outcome::Blocked(_), Outcome::Blocked(_)]), "{outcomes:?}");
    assert_eq!(notes.ids().await, ["a", "b/other"]);
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_not_synced_is_never_removed_to_make_room() {
    let notes = notes();
    notes.save(".db-to-cloud-ignore", "*.mine\n/hidden/\n");
    notes.save("box/doc", "1");
    notes.save("box/deep/own.mine", "mine");
    notes.save("file.mine", "mine");
    notes.save("hidden/x", "mine");
    notes.save("linked/doc", "1");
    symlink("/etc/passwd", notes.path.join("linked/link")).unwrap();
    fs::create_dir(notes.path.join("empty")).unwrap();
    fs::create_dir(notes.path.join("empty/deep")).unwrap();
    let batch = vec![
        write("box", Some("new"), None),
        write("box/doc", None, Some("1")),
        write("file.mine/x", Some("new"), None),
        write("hidden", Some("new"), None),
        write("linked", Some("new"), None),
        write("linked/doc", None, Some("1")),
        write("empty", Some("new"), None),
    ];
    let outcomes = notes.database.apply(batch).await;
    for (i, outcome) in outcomes.iter().enumerate() {
        match (i, outcome) {
            (0 | 2 | 3 | 4, Outcome::Refused(error)) => {
                assert!(error.to_string().contains("is not synced"), "{error}");
            }
            // The put that needs the place has failed.
            (1 | 5, Outcome::Blocked(_)) | (6, Outcome::Done) => {}
            _ => panic!("{i}: {outcome:?}"),
        }
    }
    for path in ["box/doc", "box/deep/own.mine", "file.mine", "hidden/x", "linked/link"] {
        assert!(notes.has(path), "{path}");
    }
    // Without the put the delete is made.
    done(&notes, "box/doc", None, Some("1")).await;
    assert!(notes.has("box/deep/own.mine") && !notes.has("box/doc"));
}

#[cfg(unix)]
#[tokio::test]
async fn the_number_of_a_place_changes_when_what_was_in_the_way_goes() {
    let notes = notes();
    let ids = ["x/doc", "box", "link/doc"].map(DocumentId::from);
    let free = notes.database.epochs(&ids).await;
    notes.save(".db-to-cloud-ignore", "/x\n*.mine\n");
    notes.save("x", "a file of this device");
    notes.save("box/deep/own.mine", "mine");
    symlink("/etc", notes.path.join("link")).unwrap();
    for id in &ids {
        refused(&notes, id.as_str().unwrap(), Some("new"), None).await;
    }
    let taken = notes.database.epochs(&ids).await;
    assert!(free.iter().zip(&taken).all(|(free, taken)| free != taken));
    assert_eq!(notes.database.epochs(&ids).await, taken);
    fs::remove_file(notes.path.join("box/deep/own.mine")).unwrap();
    let emptied = notes.database.epochs(&ids).await;
    assert_ne!(emptied[1], taken[1], "deep inside a folder that stays");
    fs::remove_file(notes.path.join("x")).unwrap();
    fs::remove_file(notes.path.join("link")).unwrap();
    let gone = notes.database.epochs(&ids).await;
    assert_eq!((gone[0], gone[2]), (free[0], free[2]));
    for id in &ids {
        done(&notes, id.as_str().unwrap(), Some("new"), None).await;
    }
    assert_eq!(notes.database.epochs(&["../x".into(), 7.into()]).await, [0, 0]);
}

#[tokio::test]
async fn a_large_folder_becomes_a_file_in_several_batches() {
    let notes = notes();
    let deletes: Vec<_> = (0..12).map(|i| format!("box/{i}")).collect();
    deletes.iter().for_each(|path| notes.save(path, "x"));
    // The put waits for documents of later batches, and does not hold back what goes already.
    let mut first = vec![write("box", Some("new"), None)];
    first.extend(deletes[..6].iter().map(|path| write(path, None, Some("x"))));
    let outcomes = notes.database.apply(first).await;
    assert!(matches!(outcomes[0], Outcome::Blocked(_)), "{:?}", outcomes[0]);
    assert!(outcomes[1..].iter().all(Outcome::is_done));
    let mut second = vec![write("box", Some("new"), None)];
    second.extend(deletes[6..].iter().map(|path| write(path, None, Some("x"))));
    notes.all_done(second).await;
    assert_eq!(notes.content("box"), b"new");
}

#[tokio::test]
async fn what_was_written_is_not_read_again_and_an_edit_a_moment_later_is_seen() {
    let notes = notes();
    let path = |i: usize| format!("d{}/{i}", i % 3);
    let put = |i: usize| write(&path(i), Some("ours"), None);
    notes.all_done((0..200).map(put).collect()).await;
    for i in (0..200).step_by(2) {
        fs::write(notes.path.join(path(i)), "edit").unwrap();
    }
    notes.all_done(vec![write(&path(1), Some("more"), Some("ours"))]).await;
    let again = notes.opened_again();
    let listed = again.try_list().await.unwrap();
    assert_eq!(listed.len(), 200);
    for i in 0..200 {
        let expected = match i {
            1 => Some(rev("more")),
            i if i % 2 == 0 => None,
            _ => Some(rev("ours")),
        };
        assert_eq!(listed[&path(i)].as_ref().unwrap(), &expected, "{i}");
    }
}
