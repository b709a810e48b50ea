//! One folder or file that is synced with several storages (rules T2, T3 and T4).

use db_to_cloud_test_servers::sqlite3;

use crate::world::World;

/// Syncs these pairs in turn until nothing moves any more.
#[track_caller]
fn settle(world: &World, pairs: &[(&str, &str)], options: &[&str]) {
    for _ in 0..8 {
        let mut moved = 0;
        for (documents, storage) in pairs {
            let arguments = ["sync"].into_iter().chain(documents.split(' '));
            let arguments = arguments.chain([*storage, "--json"]).chain(options.iter().copied());
            let run = world.run(arguments);
            // Status 3 also says that both versions were kept.
            assert!(matches!(run.code, Some(0 | 3)), "{run:?}");
            let report = run.report();
            assert_eq!(report["deferred"], 0, "{run:?}");
            moved += ["pulled", "deleted", "pushed"]
                .map(|n| report[n].as_u64().unwrap())
                .iter()
                .sum::<u64>();
        }
        if moved == 0 {
            return;
        }
    }
    panic!("not at rest: {pairs:?} {options:?}");
}

#[test]
fn t3_folders_with_two_storages_come_to_rest_whoever_wins() {
    for policy in ["local", "remote", "newest", "keep-both"] {
        let world = World::new(&["a", "b"]);
        world.write("a/x", "first");
        world.write("a/y", "first");
        let pairs = [("a", "one"), ("a", "two"), ("b", "one"), ("b", "two")];
        let options = ["--on-conflict", policy];
        settle(&world, &pairs, &options);
        for device in ["a", "b"] {
            world.write(&format!("{device}/x"), format!("of {device}"));
            world.write(&format!("{device}/new"), format!("new of {device}"));
        }
        world.remove("a/y");
        world.write("b/y", "edited");
        settle(&world, &[("a", "one"), ("b", "two")], &options);
        settle(&world, &pairs, &options);
        let tree = world.tree("a");
        assert_eq!(tree, world.tree("b"), "{policy}");
        assert!(tree["x"].starts_with(b"of "), "{policy}");
        if policy == "keep-both" {
            let texts: Vec<_> = tree.values().map(|text| String::from_utf8_lossy(text)).collect();
            for text in ["of a", "of b", "new of a", "new of b", "edited"] {
                assert!(texts.iter().any(|t| t == text), "{text}: {texts:?}");
            }
            // Both devices have one name, and made their copies in the same second.
            let most = tree.keys().map(|name| name.matches("conflict of").count()).max();
            assert!(most <= Some(2), "{:?}", tree.keys());
        }
    }
}

#[test]
fn t4_edits_and_deletes_go_round_a_ring_of_storages() {
    let world = World::new(&["a", "b", "c"]);
    let ring =
        [("a", "one"), ("b", "one"), ("b", "two"), ("c", "two"), ("c", "three"), ("a", "three")];
    for name in ["x", "y", "z"] {
        world.write(&format!("a/{name}"), "first");
    }
    settle(&world, &ring, &[]);
    world.write("a/x", "of a");
    world.write("b/y", "of b");
    world.remove("c/z");
    settle(&world, &ring, &[]);
    for device in ["a", "b", "c"] {
        assert_eq!(world.names(device), ["x", "y"], "{device}");
        assert_eq!(
            [world.read(&format!("{device}/x")), world.read(&format!("{device}/y"))],
            ["of a", "of b"]
        );
    }
}

#[test]
fn t4_a_table_between_two_storages_carries_rows_both_ways() {
    let world = World::new(&[]);
    for device in ["a", "b", "c"] {
        let table = "CREATE TABLE t (id TEXT PRIMARY KEY, v)";
        sqlite3(&world.path(&format!("{device}.db")), table);
    }
    let tables = |device: &str| format!("{device}.db --table t");
    let [a, b, c] = ["a", "b", "c"].map(tables);
    let pairs = [(&*a, "one"), (&*b, "one"), (&*b, "two"), (&*c, "two")];
    sqlite3(&world.path("a.db"), "INSERT INTO t VALUES ('1', 'x'), ('2', 'y'), ('3', 'z')");
    settle(&world, &pairs, &[]);
    sqlite3(
        &world.path("c.db"),
        "UPDATE t SET v = 'c' WHERE id = '1'; DELETE FROM t WHERE id = '2'",
    );
    sqlite3(&world.path("a.db"), "UPDATE t SET v = 'a' WHERE id = '3'");
    settle(&world, &pairs, &[]);
    for device in ["a", "b", "c"] {
        let rows = sqlite3(&world.path(&format!("{device}.db")), "SELECT * FROM t ORDER BY id");
        assert_eq!(rows, "1|c\n3|a", "{device}");
    }
}
