//! Which files are documents, and how they are read.
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
#[cfg(unix)]
use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    os::unix::fs::{PermissionsExt, symlink},
};

use db_to_cloud::{Database, DocumentId, Revision};
use db_to_cloud_folder::{FolderDatabase, FolderError, SkipReason};
use futures::StreamExt;
#[cfg(unix)]
use support::passes_unprivileged;
use support::{notes, rev};

#[tokio::test]
async fn every_file_is_a_document_whose_id_is_its_path() {
    let notes = notes();
    // On Windows a backslash is a slash.
    let slash = if cfg!(windows) { "back slash" } else { "back\\slash" };
    let paths = [".hidden", "a.md", "b/.hidden/c", "b/c d.md", slash, "日本/é", "e\u{301}"];
    for path in paths {
        notes.save(path, path);
    }
    let mut expected = paths.map(|path| (path.to_owned(), rev(path)));
    expected.sort();
    assert_eq!(notes.list().await.into_iter().collect::<Vec<_>>(), expected);
    for path in paths {
        let document = notes.get(path).await.unwrap();
        assert_eq!((document.revision, &document.bytes[..]), (rev(path), path.as_bytes()));
        assert_eq!(notes.revision(path).await.unwrap(), Some(rev(path)));
    }
}

#[tokio::test]
async fn empty_and_binary_files_are_documents_and_empty_folders_are_not() {
    let notes = notes();
    notes.save("empty", "");
    notes.save("binary", [0, 255, 10, 13]);
    fs::create_dir(notes.path.join("folder")).unwrap();
    assert_eq!(notes.ids().await, ["binary", "empty"]);
    assert_eq!(notes.get("empty").await.unwrap().bytes.len(), 0);
    assert_eq!(&notes.get("binary").await.unwrap().bytes[..], [0, 255, 10, 13]);
    assert!(notes.get("folder").await.is_none());
    assert_eq!(notes.revision("folder").await.unwrap(), None);
}

#[cfg(unix)]
#[tokio::test]
async fn the_state_of_a_sync_is_never_a_document_at_any_level() {
    let notes = notes();
    notes.save(".db-to-cloud/state.sqlite", "state");
    notes.save("inner/.db-to-cloud/state.sqlite", "state");
    notes.save(".DB-to-cloud/x", "not ours, but would be on another device");
    notes.save("inner/note", "note");
    assert_eq!(notes.ids().await, ["inner/note"]);
    assert!(notes.get(".db-to-cloud/state.sqlite").await.is_none());
    let skipped = notes.database.skipped();
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert_eq!(skipped[0].reason, SkipReason::Reserved);
    let mode = fs::metadata(notes.database.state_dir()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn only_our_own_ignore_files_count_at_any_level() {
    let notes = notes();
    notes.save(".db-to-cloud-ignore", "*.tmp\n/build/\n!keep.tmp\n");
    notes.save("sub/.db-to-cloud-ignore", "secret\n");
    notes.save(".gitignore", "*\n");
    notes.save(".ignore", "*\n");
    notes.save(".git/info/exclude", "*\n");
    for path in ["a.tmp", "keep.tmp", "build/x", "sub/build/x", "sub/secret", "secret"] {
        notes.save(path, path);
    }
    fs::write(notes.path.parent().unwrap().join(".db-to-cloud-ignore"), "*\n").unwrap();
    let expected = [
        ".db-to-cloud-ignore",
        ".git/info/exclude",
        ".gitignore",
        ".ignore",
        "keep.tmp",
        "secret",
        "sub/.db-to-cloud-ignore",
        "sub/build/x",
    ];
    assert_eq!(notes.ids().await, expected);
}

#[tokio::test]
async fn a_document_that_is_ignored_later_does_not_look_deleted() {
    let notes = notes();
    notes.save("a.tmp", "a");
    notes.save(".db-to-cloud-ignore", "*.tmp");
    assert_eq!(notes.ids().await, [".db-to-cloud-ignore"]);
    assert_eq!(notes.revision("a.tmp").await.unwrap(), Some(rev("a")));
}

#[tokio::test]
async fn a_pattern_that_cannot_be_understood_ends_the_listing_and_its_line_is_named() {
    for (text, line) in [
        (&b"*.tmp\na{b\n"[..], "line 2"),
        (b"priv[z-a]ate/", "line 1"),
        (b"\n\n**private[/", "line 3"),
        (b"a\\", "line 1"),
        (b"ok\n\xe9t\xe9\n", "line 2"),
        (b"p\0r\0i\0v\0a\0t\0e\0", "line 1"),
        (b"\xff\xfep\0\n\0[\0", "line 2"),
        (b"\xff\xfe\0\xd8", "line 1"),
    ] {
        let notes = notes();
        notes.save("sub/.db-to-cloud-ignore", text);
        let error = notes.try_list().await.unwrap_err().to_string();
        let names_it = error.contains(line) && error.contains(".db-to-cloud-ignore");
        assert!(names_it, "{text:?}: {error}");
    }
}

#[tokio::test]
async fn patterns_may_be_written_as_other_systems_do() {
    let utf16 = |text: &str| -> Vec<u8> {
        let units = [0xfeff].into_iter().chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    };
    let big = |text: &str| utf16(text).chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    let texts: [Vec<u8>; 4] = [
        b"private/\r\n*.tmp\r\n".into(),
        b"\xef\xbb\xbfprivate/\n*.tmp".into(),
        utf16("private/\r\n*.tmp\r\n"),
        big("private/\n*.tmp\n"),
    ];
    for text in texts {
        let notes = notes();
        notes.save(".db-to-cloud-ignore", &text);
        ["private/diary", "x.tmp", "open"].iter().for_each(|path| notes.save(path, ""));
        assert_eq!(notes.ids().await, [".db-to-cloud-ignore", "open"], "{text:?}");
    }
}

/// At any level; as files, and as the collections of the WebDAV adapter.
#[tokio::test]
async fn the_files_of_a_storage_in_the_folder_are_no_documents() {
    let entry = format!(r#"{{"format":1,"commit":"{:032x}","changes":[]}}"#, 7);
    for first in ["changes/1.json", "changes/1.json/entry.json"] {
        for (folder, shown) in [("sub/", "sub"), ("", ".")] {
            let notes = notes();
            for path in [first, "changes/tmp-1", "docs/a.1", "meta.json", "slots-move/x", "own"] {
                notes.save(&format!("{folder}{path}"), &entry);
            }
            notes.save("other/docs/b", "not in the storage");
            notes.save("other/meta.json", &entry);
            let expected =
                [format!("{folder}own"), "other/docs/b".into(), "other/meta.json".into()];
            assert_eq!(notes.ids().await, BTreeSet::from(expected).into_iter().collect::<Vec<_>>());
            let skipped = notes.database.skipped();
            assert_eq!(skipped.len(), 1, "{skipped:?}");
            assert_eq!(skipped[0].path, Path::new(shown));
            assert_eq!(skipped[0].reason, SkipReason::Storage);
            // A document that was synced before does not look deleted.
            let known = notes.revision(&format!("{folder}meta.json")).await.unwrap();
            assert_eq!(known, Some(rev(&entry)));
        }
    }
}

#[tokio::test]
async fn names_like_those_of_a_storage_are_documents() {
    for content in ["a log of mine", r#"{"format":1}"#, r#"{"commit":"x","format":1}"#, ""] {
        let notes = notes();
        for path in ["changes/1.json", "docs/a", "meta.json"] {
            notes.save(path, content);
        }
        assert_eq!(notes.ids().await, ["changes/1.json", "docs/a", "meta.json"]);
        assert_eq!(notes.database.skipped(), []);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_pipes_and_names_that_are_not_text_are_skipped_and_reported() {
    let notes = notes();
    notes.save("a", "a");
    notes.save("folder/b", "b");
    symlink("a", notes.path.join("link")).unwrap();
    symlink("folder", notes.path.join("linked-folder")).unwrap();
    symlink("nowhere", notes.path.join("broken")).unwrap();
    let pipe = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, notes.path.join("pipe"), pipe, mode, 0).unwrap();
    fs::write(notes.path.join(OsStr::from_bytes(b"latin-\xe9")), "").unwrap();
    assert_eq!(notes.ids().await, ["a", "folder/b"]);
    let mut reasons: Vec<_> = notes.database.skipped().into_iter().map(|s| s.reason).collect();
    reasons.sort_by_key(ToString::to_string);
    let link = SkipReason::SymbolicLink;
    let expected = [SkipReason::Special, link.clone(), link.clone(), link, SkipReason::NotUtf8];
    assert_eq!(reasons, expected);
}

#[cfg(unix)]
#[tokio::test]
async fn a_document_that_became_a_link_or_a_pipe_is_an_error_and_not_deleted() {
    let notes = notes();
    symlink("/etc", notes.path.join("link")).unwrap();
    symlink("/etc/passwd", notes.path.join("file")).unwrap();
    let pipe = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, notes.path.join("pipe"), pipe, mode, 0).unwrap();
    for id in ["link", "link/passwd", "file", "pipe"] {
        notes.database.get(&id.into()).await.unwrap_err();
        notes.revision(id).await.unwrap_err();
    }
    assert_eq!(notes.revision("missing/x").await.unwrap(), None);
    notes.save("a", "");
    assert_eq!(notes.revision("a/b").await.unwrap(), None);
}

#[tokio::test]
async fn an_id_that_cannot_be_a_path_is_not_there() {
    let notes = notes();
    let ids = ["", "/etc/passwd", "../notes/a", ".", "a//b", "a\0", ".db-to-cloud/tmp/clock"];
    notes.save("a", "a");
    for id in ids.map(DocumentId::from).into_iter().chain([DocumentId::from(7)]) {
        assert!(notes.database.get(&id).await.unwrap().is_none(), "{id:?}");
        assert_eq!(notes.database.revisions(&[id]).await.pop().unwrap().unwrap(), None);
    }
}

#[tokio::test]
async fn revisions_are_answered_in_the_order_of_the_ids() {
    let notes = notes();
    let ids: Vec<_> = (0..500).map(|i| DocumentId::from(format!("{}/{i}", i % 7))).collect();
    for (i, id) in ids.iter().enumerate().filter(|(i, _)| i % 3 != 0) {
        notes.save(id.as_str().unwrap(), i.to_string());
    }
    let revisions = notes.database.revisions(&ids).await;
    for (i, revision) in revisions.into_iter().enumerate() {
        let expected = (i % 3 != 0).then(|| rev(&i.to_string()));
        assert_eq!(revision.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_missing_folder_is_an_error_and_not_an_empty_one() {
    let notes = notes();
    let missing = notes.path.join("missing");
    let error = FolderDatabase::open(&missing).unwrap_err();
    assert!(matches!(error, FolderError::NoFolder { .. }));
    assert!(!missing.exists());
    notes.save("file", "");
    FolderDatabase::open(notes.path.join("file")).unwrap_err();
}

/// On Windows a folder that is open cannot be replaced.
#[cfg(not(windows))]
#[tokio::test]
async fn a_folder_that_was_replaced_by_an_empty_one_is_an_error() {
    let notes = notes();
    notes.save("a", "a");
    fs::rename(&notes.path, notes.path.with_file_name("moved")).unwrap();
    fs::create_dir(&notes.path).unwrap();
    let error = notes.try_list().await.unwrap_err();
    assert!(error.to_string().contains("not the folder that was opened"), "{error}");
    assert_eq!(notes.revision("a").await.unwrap(), Some(rev("a")), "through the handle");
}

/// Not on Windows, where the time of the last change cannot be read.
#[cfg(not(windows))]
#[tokio::test]
async fn an_edit_is_found_even_if_size_and_time_are_as_before() {
    let notes = notes();
    let path = notes.path.join("a");
    let time = fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH + Duration::from_secs(9));
    let save = |content: &str| {
        fs::write(&path, content).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_times(time).unwrap();
    };
    save("one");
    assert_eq!(notes.list().await["a"], rev("one"));
    save("two");
    assert_eq!(notes.list().await["a"], rev("two"), "within a tick of the clock");
    // Settled, so that it is cached.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(notes.list().await["a"], rev("two"));
    save("six");
    assert_eq!(notes.list().await["a"], rev("six"));
}

/// Windows does not let the cache be replaced that is open.
#[cfg(not(windows))]
#[tokio::test]
async fn an_unchanged_file_is_not_read_again_and_a_lost_cache_costs_only_time() {
    let notes = notes();
    notes.save("a", "one");
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(notes.list().await["a"], rev("one"));
    assert_eq!(notes.revision("a").await.unwrap(), Some(rev("one")), "which saves the cache");
    let cache = notes.database.state_dir().join("files.sqlite");
    let planted = rusqlite::Connection::open(&cache).unwrap();
    let changed = planted.execute("UPDATE files SET hash = zeroblob(32)", []).unwrap();
    assert_eq!(changed, 1);
    assert_eq!(notes.list().await["a"], Revision::new("0".repeat(64)), "from the cache");
    drop(planted);
    fs::write(&cache, "garbage").unwrap();
    fs::remove_file(cache.with_extension("sqlite-wal")).unwrap();
    let again = FolderDatabase::open(&notes.path).unwrap();
    let listed: Vec<_> = again.list().collect().await;
    assert_eq!(listed[0].as_ref().unwrap().revision.as_ref().unwrap(), &None);
    assert_eq!(again.get(&"a".into()).await.unwrap().unwrap().revision, rev("one"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_written_while_it_is_read_is_never_read_half() {
    let notes = notes();
    let contents = ["a".repeat(300_000), "b".repeat(300_001)];
    notes.save("a", &contents[0]);
    let path = notes.path.join("a");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let beside = path.with_file_name("b");
            let start = std::time::Instant::now();
            while !stop.load(Ordering::SeqCst) && start.elapsed() < Duration::from_secs(20) {
                for content in &contents {
                    fs::write(&beside, content).unwrap();
                    // Windows refuses it in moments in which the file is open.
                    while let Err(error) = fs::rename(&beside, &path) {
                        let is_windows = cfg!(windows);
                        assert!(is_windows, "{error}");
                    }
                }
            }
        });
        let read = async {
            for _ in 0..200 {
                let document = notes.get("a").await.unwrap();
                assert!(contents.iter().any(|content| content.as_bytes() == document.bytes));
                assert_eq!(document.revision, Revision::of_content(&document.bytes));
            }
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(read));
        stop.store(true, Ordering::SeqCst);
    });
}

#[cfg(unix)]
#[tokio::test]
async fn a_document_that_is_edited_after_others_were_read_is_not_a_stale_one() {
    let notes = notes();
    for i in 0..20 {
        notes.save(&format!("{i:02}"), format!("old {i}"));
    }
    assert_eq!(notes.try_list().await.unwrap().len(), 20);
    // Some are read ahead with the first.
    assert_eq!(notes.get("00").await.unwrap().revision, rev("old 0"));
    notes.save("01", "an edit");
    fs::write(notes.path.join("beside"), "new 2").unwrap();
    fs::rename(notes.path.join("beside"), notes.path.join("02")).unwrap();
    fs::remove_file(notes.path.join("03")).unwrap();
    symlink("04", notes.path.join("link")).unwrap();
    fs::rename(notes.path.join("link"), notes.path.join("05")).unwrap();
    assert_eq!(notes.get("01").await.unwrap().revision, rev("an edit"));
    assert_eq!(notes.get("02").await.unwrap().revision, rev("new 2"));
    assert!(notes.get("03").await.is_none());
    notes.database.get(&"05".into()).await.unwrap_err();
    for i in 6..20 {
        let (id, content) = (format!("{i:02}"), format!("old {i}"));
        let document = notes.get(&id).await.unwrap();
        assert_eq!((document.revision, &document.bytes[..]), (rev(&content), content.as_bytes()));
        assert_eq!(notes.revision(&id).await.unwrap(), Some(rev(&content)));
    }
}

#[tokio::test]
async fn a_listing_that_nobody_reads_on_ends() {
    let notes = notes();
    for i in 0..2000 {
        notes.save(&i.to_string(), "");
    }
    let mut listing = notes.database.list();
    listing.next().await.unwrap().unwrap();
    drop(listing);
    assert_eq!(notes.ids().await.len(), 2000);
}

#[tokio::test]
async fn the_time_of_a_document_is_that_of_its_file() {
    let notes = notes();
    notes.save("a", "");
    let path = notes.path.join("a");
    let time = std::time::UNIX_EPOCH + Duration::from_millis(1_795_408_011_007);
    let times = fs::FileTimes::new().set_modified(time);
    fs::File::options().write(true).open(path).unwrap().set_times(times).unwrap();
    let modified = notes.database.modified(&"a".into()).unwrap();
    assert_eq!(modified.to_string(), "2026-11-23T04:26:51.007Z");
    assert_eq!(notes.database.modified(&"missing".into()), None);
    assert_eq!(notes.database.modified(&"../notes/a".into()), None);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_reported_and_not_taken_for_deleted() {
    assert!(passes_unprivileged("unprivileged_with_unreadable_files"));
}

#[cfg(unix)]
#[tokio::test]
#[ignore = "started by the test above, as a user without privileges"]
async fn unprivileged_with_unreadable_files() {
    let notes = notes();
    for path in ["file", "folder/inner", "open"] {
        notes.save(path, path);
    }
    let none = || fs::Permissions::from_mode(0o000);
    fs::set_permissions(notes.path.join("file"), none()).unwrap();
    fs::set_permissions(notes.path.join("folder"), none()).unwrap();
    let listed = notes.try_list().await.unwrap();
    assert_eq!(listed.keys().collect::<Vec<_>>(), ["file", "open"]);
    assert_eq!(listed["file"].as_ref().unwrap(), &None, "a listing reads nothing");
    let error = notes.database.get(&"file".into()).await.unwrap_err();
    assert!(error.to_string().contains("notes/file"), "{error}");
    assert_eq!(error.source().unwrap().to_string(), "Permission denied (os error 13)");
    let skipped = notes.database.skipped();
    assert!(matches!(skipped[0].reason, SkipReason::Unreadable(_)), "{skipped:?}");
    for id in ["file", "folder/inner", "folder/missing"] {
        notes.database.get(&id.into()).await.unwrap_err();
        notes.revision(id).await.unwrap_err();
    }
    let all = fs::Permissions::from_mode(0o700);
    fs::set_permissions(notes.path.join("folder"), all).unwrap();
    notes.save(".db-to-cloud-ignore", "open");
    fs::set_permissions(notes.path.join(".db-to-cloud-ignore"), none()).unwrap();
    let error = notes.try_list().await.unwrap_err();
    assert!(
        error.to_string().contains("what to ignore"),
        "rather than sync what is ignored: {error}"
    );
}

#[tokio::test]
async fn what_a_sync_writes_for_itself_concerns_no_document() {
    let notes = notes();
    let concerns =
        |path: &str| notes.database.concerns_documents(&notes.database.root().join(path));
    for path in ["", "a", "a/b.md", "db-to-cloud", ".db-to-cloud-ignore", "\u{fffd}"] {
        assert!(concerns(path), "{path}");
    }
    for path in [".db-to-cloud", ".db-to-cloud/state.sqlite-wal", "a/.db-to-cloud/tmp/x"] {
        assert!(!concerns(path), "{path}");
    }
    assert!(notes.database.concerns_documents("/elsewhere".as_ref()));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn measure_ten_thousand_files() {
    let notes = notes();
    for i in 0..10_000 {
        notes.save(&format!("{}/note {i}.md", i % 100), format!("{i} ").repeat(400));
    }
    for (what, pause) in [("cold, just written", 2100), ("cold, settled", 0), ("warm", 0)] {
        let start = std::time::Instant::now();
        assert_eq!(notes.list().await.len(), 10_000);
        println!("list 10,000, {what}: {:?}", start.elapsed());
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    let ids: Vec<_> = notes.ids().await.into_iter().map(DocumentId::from).collect();
    let start = std::time::Instant::now();
    notes.database.revisions(&ids).await;
    println!("revisions of 10,000, warm: {:?}", start.elapsed());
    notes.save("large", vec![7; 100 << 20]);
    let start = std::time::Instant::now();
    notes.get("large").await.unwrap();
    println!("get of 100 MB: {:?}", start.elapsed());
    let writes = |expected: Option<&str>, content: &str| {
        let one = |i| support::write(&format!("new/{}/{i}", i % 10), Some(content), expected);
        (0..1000).map(one).collect::<Vec<_>>()
    };
    for (what, writes) in [("create", writes(None, "1")), ("replace", writes(Some("1"), "2"))] {
        let start = std::time::Instant::now();
        let answers = notes.database.apply(writes).await;
        assert!(answers.iter().all(db_to_cloud::Outcome::is_done));
        println!("{what} 1,000: {:?}", start.elapsed());
    }
}

/// Not on Windows, where the time of the last change cannot be read.
#[cfg(not(windows))]
/// As of a camera with a wrong clock, or an archive.
#[tokio::test]
async fn a_file_may_have_any_time_and_its_edits_are_seen() {
    let notes = notes();
    let epoch = std::time::UNIX_EPOCH;
    let seconds = Duration::from_secs;
    let times = [
        ("old", epoch - seconds(500_000_000)),
        ("zero", epoch),
        ("future", epoch + seconds(4_100_000_000)),
        ("far", epoch + seconds(11_000_000_000)),
        ("farther", epoch + seconds(11_000_000_001)),
    ];
    for text in ["one", "two"] {
        for (name, time) in times {
            notes.save(name, text);
            let times = fs::FileTimes::new().set_modified(time);
            fs::File::options()
                .write(true)
                .open(notes.path.join(name))
                .unwrap()
                .set_times(times)
                .unwrap();
        }
        for (name, time) in times {
            assert_eq!(notes.revision(name).await.unwrap(), Some(rev(text)), "{name}");
            // A file system may not hold it.
            let held = fs::metadata(notes.path.join(name)).unwrap().modified().unwrap();
            let modified = notes.database.modified(&name.into()).unwrap();
            assert_eq!(modified, db_to_cloud::Timestamp::from(held.max(epoch)), "{name}");
            assert!(held == time || name.starts_with("far") || name == "old");
        }
    }
}
