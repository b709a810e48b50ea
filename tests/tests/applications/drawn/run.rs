//! A transaction of an application, first as if the file had never been synced.

use rusqlite::Connection;

use crate::application::Tree;
use crate::drawn::operations::Script;

/// What an application sees of a transaction: the rows, and for each statement `changes()` and
/// `last_insert_rowid()`; or why it failed.
type Seen = Result<(Tree, Vec<(u64, i64)>), String>;

/// What is left when it is over.
pub(super) struct Ran {
    pub(super) error: Option<String>,
    /// What was other than without the library.
    pub(super) difference: Option<String>,
}

/// Runs a transaction twice: without our triggers, which is taken back, and then in earnest. Nobody
/// writes between.
pub(super) fn run(app: &Connection, script: &Script, read: &dyn Fn(&Connection) -> Tree) -> Ran {
    if script.is_loose {
        app.pragma_update(None, "foreign_keys", false).unwrap();
    }
    app.execute_batch("BEGIN IMMEDIATE; SAVEPOINT alone").unwrap();
    drop_ours(app);
    let alone = attempt(app, script, read);
    app.execute_batch("ROLLBACK TO alone; RELEASE alone").unwrap();
    let seen = attempt(app, script, read);
    let is_kept = seen.is_ok() && !script.is_undone;
    let committed = app.execute_batch(if is_kept { "COMMIT" } else { "ROLLBACK" });
    let committed = committed.map_err(|error| error.to_string());
    if committed.is_err() {
        app.execute_batch("ROLLBACK").unwrap();
    }
    let difference = (alone != seen).then(|| difference(&alone, &seen));
    let error = seen.err().or(committed.err().filter(|_| is_kept));
    Ran { error, difference }
}

fn attempt(app: &Connection, script: &Script, read: &dyn Fn(&Connection) -> Tree) -> Seen {
    // Both attempts begin with the same counts.
    let reset = "CREATE TEMP TABLE reset(n INTEGER PRIMARY KEY); INSERT INTO reset VALUES (-1); DROP TABLE reset";
    app.execute_batch(reset).unwrap();
    let mut counts = Vec::new();
    for sql in &script.sql {
        app.execute_batch(sql).map_err(|error| error.to_string())?;
        // After other statements they mean nothing.
        if ["INSERT", "UPDATE", "DELETE"].iter().any(|verb| sql.starts_with(verb)) {
            counts.push((app.changes(), app.last_insert_rowid()));
        }
    }
    Ok((read(app), counts))
}

/// All that the library has put on the application's tables.
fn drop_ours(app: &Connection) {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'db\\_to\\_cloud\\_%' ESCAPE '\\'";
    let mut names = app.prepare(sql).unwrap();
    let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let names: Vec<String> = names.map(Result::unwrap).collect();
    for name in names {
        app.execute_batch(&format!("DROP TRIGGER \"{name}\"")).unwrap();
    }
}

fn difference(alone: &Seen, seen: &Seen) -> String {
    match (alone, seen) {
        (Ok((rows, counts)), Ok((with, counted))) if rows == with => {
            format!(
                "changes() and last_insert_rowid() are {counted:?}, without the library {counts:?}"
            )
        }
        (Ok((rows, _)), Ok((with, _))) => {
            let differs = |id: &&String| rows.get(*id) != with.get(*id);
            let ids: Vec<&String> = rows.keys().chain(with.keys()).filter(differs).collect();
            let rows = ids.iter().map(|id| {
                format!("{id}: {:?}, without the library {:?}", with.get(*id), rows.get(*id))
            });
            rows.collect::<Vec<_>>().join("; ")
        }
        (alone, seen) => format!(
            "it ends with {:?}, without the library with {:?}",
            seen.as_ref().err(),
            alone.as_ref().err()
        ),
    }
}

#[test]
fn a_trigger_of_ours_that_an_application_would_notice_is_caught() {
    let insert = "INSERT INTO t VALUES (1)";
    for (body, sees) in [
        ("INSERT INTO queue VALUES (NEW.id)", false),
        ("SELECT RAISE(ABORT, 'not now')", true),
        ("INSERT INTO t VALUES (2)", true),
    ] {
        let app = Connection::open_in_memory().unwrap();
        app.execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY); CREATE TABLE queue(id)")
            .unwrap();
        let sql = format!("CREATE TRIGGER db_to_cloud_t AFTER INSERT ON t BEGIN {body}; END");
        app.execute_batch(&sql).unwrap();
        let script = Script { sql: vec![insert.into()], ..Script::default() };
        let rows = |app: &Connection| {
            let count = app.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0));
            Tree::from([("rows".to_owned(), count.unwrap().to_string())])
        };
        assert_eq!(run(&app, &script, &rows).difference.is_some(), sees, "{body}");
    }
}
