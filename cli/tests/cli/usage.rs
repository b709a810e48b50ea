//! What makes no sense is said to make none, and nothing is touched.

use crate::world::World;

#[track_caller]
fn refused(world: &World, code: i32, line: &[&str], why: &str) {
    let before = world.tree(".");
    let run = world.run(line);
    assert_eq!(run.code, Some(code), "{run:?}");
    assert_eq!(run.stdout, "");
    assert!(run.stderr.starts_with("error: "), "{run:?}");
    assert!(run.stderr.contains(why), "{run:?}");
    assert_eq!(world.tree("."), before);
}

#[test]
fn an_unknown_scheme_is_refused_with_the_known_ones() {
    let world = World::new(&["a"]);
    refused(&world, 2, &["sync", "a", "gopher://x/y"], "file:///path/to/folder");
    refused(&world, 2, &["sync", "a", "ftp:bucket"], "the scheme \"ftp\" is not known");
    refused(&world, 2, &["sync", "a", "s3:bucket"], "write s3://bucket/prefix");
    refused(&world, 2, &["sync", "a", "webdav:x"], "write webdavs://user@host/path");
    refused(&world, 2, &["sync", "a", "https://host/x"], "write webdavs://user@host/path");
    refused(&world, 2, &["sync", "a", "file://host/x"], "three slashes");
    refused(&world, 2, &["sync", "a", "dropbox:notes"], "dropbox:/path/to/folder");
    refused(&world, 2, &["sync", "a", "gdrive://notes"], "gdrive:/path/to/folder");
    refused(&world, 2, &["sync", "a", "gdrive:/"], "a folder of its own");
    refused(&world, 2, &["sync", "a", ""], "give a URL or a path");
    refused(&world, 2, &["sync", "a", "file:///x?synced-by=me"], "?synced-by=other-program");
    refused(&world, 2, &["unlock", "gopher://x/y"], "file:///path/to/folder");
}

#[test]
fn a_storage_in_or_around_the_database_is_refused() {
    let world = World::new(&["a", "a/inner"]);
    for remote in ["a", "a/", "a/inner", "a/new", ".", "./a/../a", "a/.db-to-cloud"] {
        refused(&world, 2, &["sync", "a", remote], "the database");
    }
}

#[test]
fn the_two_sides_must_not_be_swapped() {
    let world = World::new(&["a", "b"]);
    world.write("a/x", "x");
    world.sync("a");
    world.sync("b");
    refused(&world, 2, &["sync", "cloud", "a"], "is a storage, not a database");
    refused(&world, 2, &["sync", "a", "b"], "is a database");
}

#[test]
fn a_missing_database_is_not_an_empty_one() {
    let world = World::new(&["a"]);
    refused(&world, 1, &["sync", "missing", "cloud"], "does not exist");
    refused(&world, 1, &["status", "missing", "cloud"], "does not exist");
    assert!(!world.exists("missing") && !world.exists("cloud"));
    world.write("file", "");
    refused(&world, 1, &["sync", "file", "cloud"], "not a folder");
    refused(&world, 1, &["sync", "a", "file"], "not a folder");
}

#[test]
fn questions_need_somebody_to_answer() {
    let world = World::new(&["a"]);
    refused(&world, 2, &["sync", "a", "cloud", "--on-conflict", "ask"], "needs a terminal");
    refused(&world, 2, &["sync", "a", "cloud", "--watch", "--on-conflict", "ask"], "asks nobody");
    assert!(!world.exists("cloud"));
}

#[test]
fn wrong_options_are_wrong_usage() {
    let world = World::new(&["a"]);
    for line in [
        &["sync"][..],
        &["sync", "a"],
        &["sync", "a", "cloud", "more"],
        &["sync", "a", "cloud", "--on-conflict", "maybe"],
        &["sync", "a", "cloud", "--device", ""],
        &["sync", "a", "cloud", "--timeout", "0"],
        &["sync", "a", "cloud", "--nonsense"],
        &["sync", "a", "cloud", "--watch", "--dry-run"],
        &["nonsense"],
    ] {
        assert_eq!(world.run(line).code, Some(2), "{line:?}");
    }
    assert_eq!(world.run(["--help"]).code, Some(0));
    assert!(world.run(["sync", "--help"]).stdout.contains("trusts the clocks"));
}

/// Whatever is wrong with a command line, and wherever a URL with a password stands in it.
#[test]
fn a_password_in_a_url_is_never_repeated() {
    let world = World::new(&["a"]);
    world.write("a/x", "x");
    let password = "hunter2's @secret";
    let urls = [
        "ftp://ann:PW@h.example/x",
        "webdav://ann:PW@127.0.0.1:1/x",
        "https://ann:PW@127.0.0.1:1/x",
        "s3://b/p?endpoint=http://ann:PW@127.0.0.1:1&path-style=true",
        "s3://key:PW@b/p",
        "s3://b/p?secret-access-key=PW",
        "dropbox://ann:PW@x/y",
        "gdrive:ann:PW@x/y",
        "file://ann:PW@h/x",
        "file:///x?password=PW",
        "ann:PW@host:/x",
    ];
    for url in urls.map(|url| url.replace("PW", password)) {
        let lines: [&[&str]; 11] = [
            &["sync", "a", &url, "--timeout", "2"],
            &["sync", "a", &url, "--timeout", "2", "--json"],
            &["sync", "a", &url, "extra"],
            &["sync", "a", &url, "--tabel", "x"],
            &["sync", "a", "cloud", &url],
            &["sync", &url, "cloud"],
            &["sync", "a", "cloud", "--timeout", &url],
            &["status", "a", &url],
            &["unlock", &url, "--password-file", &url],
            &["import", &url, &url],
            &[&url],
        ];
        for line in lines {
            let run = world.run(line);
            assert_ne!(run.code, Some(0), "{line:?}: {run:?}");
            let said = run.stdout.clone() + &run.stderr;
            assert!(!said.contains("hunter2") && !said.contains("secret\""), "{line:?}: {said}");
        }
    }
}
