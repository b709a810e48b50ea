//! From any state that a schema allows to any other, in batches of any size and any order.
//!
//! Two random states are made in the database of a sender. What differs is written on a receiver that
//! has the first one, as a sync does it: what is blocked comes again with the next batch. At the end
//! the receiver must have the second state, and nothing else may have changed.

mod aside;
mod schemas;

use std::collections::BTreeMap;

use db_to_cloud::{Database, Document, DocumentId, Write};
use db_to_cloud_sqlite::{SqliteDatabase, Table};
use futures::StreamExt;
use rusqlite::Connection;

use self::schemas::{CASES, Case};
use crate::hammer::Random;
use crate::world::{Became, became, write};

/// A device that is in no cloud.
pub(super) struct Alone {
    _folder: tempfile::TempDir,
    pub(super) database: SqliteDatabase,
    pub(super) app: Connection,
}

impl Alone {
    pub(super) fn new(schema: &str, tables: Vec<Table>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let app = Connection::open(&path).unwrap();
        app.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF").unwrap();
        app.pragma_update(None, "foreign_keys", false).unwrap();
        app.execute_batch(schema).unwrap();
        let database = SqliteDatabase::open(&path, tables).unwrap();
        let alone = Self { _folder: folder, database, app };
        alone.unqueue();
        alone
    }

    /// What the application did is not what is tested.
    pub(super) fn unqueue(&self) {
        self.app.execute_batch("DELETE FROM db_to_cloud_queue").unwrap();
    }

    pub(super) async fn documents(&self) -> BTreeMap<DocumentId, Document> {
        let ids: Vec<_> = self.database.list().map(|listed| listed.unwrap().id).collect().await;
        let mut documents = BTreeMap::new();
        for id in ids {
            let document = self.database.get(&id).await.unwrap().unwrap();
            documents.insert(id, document);
        }
        documents
    }

    /// All rows that a query gives.
    pub(super) fn rows(&self, sql: &str) -> Vec<String> {
        let mut statement = self.app.prepare(sql).unwrap();
        let width = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            Ok((0..width).map(|i| format!("{:?}|", row.get_ref(i).unwrap())).collect())
        };
        statement.query_map([], row).unwrap().map(Result::unwrap).collect()
    }

    /// The file is sound, and nothing that was written counts as an edit.
    pub(super) fn assert_sound(&self, of: &str) {
        assert_eq!(self.rows("PRAGMA integrity_check"), ["Text([111, 107])|"], "{of}");
        assert_eq!(self.rows("PRAGMA foreign_key_check"), Vec::<String>::new(), "{of}");
        assert_eq!(self.rows("SELECT * FROM db_to_cloud_queue"), Vec::<String>::new(), "{of}");
        let held = "SELECT * FROM db_to_cloud_extra WHERE row IS NULL";
        assert_eq!(self.rows(held), Vec::<String>::new(), "{of}");
    }
}

/// Rows as SQL: of each table those that it takes, without those that refer to nothing.
fn state(case: &Case, random: &mut Random) -> String {
    let mut sql = String::new();
    for rows in case.rows {
        let names: Vec<_> = rows.columns.iter().map(|(name, _)| *name).collect();
        for _ in 0..random.below(rows.tries + 1) {
            let value = |(_, values): &(&str, &'static str)| -> &str {
                let values: Vec<_> = values.split('|').collect();
                values[usize::try_from(random.below(values.len() as u64)).unwrap()]
            };
            let values: Vec<_> = rows.columns.iter().map(value).collect();
            let (names, values) = (names.join(", "), values.join(", "));
            sql += &format!("INSERT OR IGNORE INTO {} ({names}) VALUES ({values});\n", rows.table);
        }
    }
    sql
}

/// Makes it the state of the device.
fn set(device: &Alone, case: &Case, sql: &str) {
    let tables = case.rows.iter().rev();
    let empty: String = tables.map(|rows| format!("DELETE FROM {};", rows.table)).collect();
    let app = &device.app;
    app.execute_batch(&format!("BEGIN; {empty} {sql}")).unwrap();
    let foreign = device_foreign_keys(app, case);
    while foreign.iter().map(|sql| app.execute(sql, []).unwrap()).sum::<usize>() > 0 {}
    app.execute_batch("DELETE FROM db_to_cloud_extra; COMMIT").unwrap();
    device.unqueue();
}

/// Statements that delete rows which refer to nothing.
fn device_foreign_keys(app: &Connection, case: &Case) -> Vec<String> {
    let mut deletes = Vec::new();
    for rows in case.rows {
        let sql = "SELECT \"table\", \"from\", coalesce(\"to\",
            (SELECT name FROM pragma_table_info(\"table\") WHERE pk = 1)) FROM pragma_foreign_key_list(?1)";
        let mut statement = app.prepare(sql).unwrap();
        let mut keys = statement.query([rows.table]).unwrap();
        while let Some(row) = keys.next().unwrap() {
            let [parent, from, to]: [String; 3] = [0, 1, 2].map(|i| row.get(i).unwrap());
            let table = rows.table;
            deletes.push(format!(
                "DELETE FROM {table} WHERE {from} IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE p.{to} = {table}.{from})"
            ));
        }
    }
    deletes
}

/// What leads from the one to the other, in any order.
pub(super) fn writes(
    from: &BTreeMap<DocumentId, Document>,
    to: &BTreeMap<DocumentId, Document>,
    random: &mut Random,
) -> Vec<Write> {
    let revision = |id: &DocumentId| from.get(id).map(|document| document.revision.clone());
    let puts = to.iter().filter(|(id, document)| from.get(id) != Some(document));
    let puts = puts.map(|(id, document)| write(id.clone(), Some(document.clone()), revision(id)));
    let gone = from.keys().filter(|id| !to.contains_key(id));
    let deletes = gone.map(|id| write(id.clone(), None, revision(id)));
    let mut writes: Vec<_> = puts.chain(deletes).collect();
    for i in (1..writes.len()).rev() {
        writes.swap(i, usize::try_from(random.below(i as u64 + 1)).unwrap());
    }
    writes
}

/// Makes them as a sync does: what is blocked comes again with the next batch, and as long as that
/// helps. What is left is blocked.
pub(super) async fn carry(
    database: &SqliteDatabase,
    writes: Vec<Write>,
    size: usize,
) -> Vec<Write> {
    let mut blocked: Vec<Write> = Vec::new();
    let mut batches: Vec<_> = writes.chunks(size).map(<[Write]>::to_vec).collect();
    batches.reverse();
    loop {
        let before = blocked.len();
        let next = batches.pop();
        let is_last = next.is_none();
        blocked.extend(next.into_iter().flatten());
        let outcomes = database.apply(blocked.clone()).await;
        let mut rest = Vec::new();
        for ((write, became), outcome) in blocked.into_iter().zip(became(&outcomes)).zip(&outcomes)
        {
            match became {
                Became::Done => {}
                Became::Blocked => rest.push(write),
                // A trigger of the application was first.
                Became::Changed if database.get(&write.id).await.unwrap() == write.document => {}
                _ => panic!("{:?}: {outcome:?}", write.id),
            }
        }
        blocked = rest;
        if blocked.is_empty() && batches.is_empty() || is_last && blocked.len() == before {
            return blocked;
        }
    }
}

async fn any_state_becomes_any_other(case: &Case, seeds: std::ops::Range<u64>) {
    let tables = || case.rows.iter().map(|rows| Table::new(rows.table)).collect();
    let (sender, receiver) = (Alone::new(case.schema, tables()), Alone::new(case.schema, tables()));
    for seed in seeds {
        let mut random = Random::new(seed);
        let (first, second) = (state(case, &mut random), state(case, &mut random));
        set(&sender, case, &first);
        let from = sender.documents().await;
        set(&sender, case, &second);
        let to = sender.documents().await;
        let sizes = if case.triggers_edit { &[1000][..] } else { &[1, 2, 3, 1000] };
        for size in sizes.iter().copied() {
            let of = format!("{}, seed {seed}, batches of {size}", case.name);
            set(&receiver, case, &first);
            let writes = writes(&from, &to, &mut random);
            let blocked = carry(&receiver.database, writes, size).await;
            assert_eq!(blocked, [], "{of}\n{first}\n->\n{second}");
            for rows in case.rows {
                let all = format!("SELECT * FROM {} ORDER BY 1, 2", rows.table);
                assert_eq!(receiver.rows(&all), sender.rows(&all), "{of}");
            }
            for query in case.follows {
                assert_eq!(receiver.rows(query), sender.rows(query), "{of}: {query}");
            }
            if case.triggers_edit {
                receiver.unqueue();
            }
            receiver.assert_sound(&of);
        }
    }
}

/// How many pairs of states of each schema.
fn seeds() -> u64 {
    std::env::var("DB_TO_CLOUD_ORDERS").map_or(15, |seeds| seeds.parse().unwrap())
}

#[tokio::test]
async fn any_state_that_a_schema_allows_becomes_any_other_in_any_order() {
    for case in CASES {
        any_state_becomes_any_other(case, 0..seeds()).await;
    }
}
