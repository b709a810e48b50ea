//! Every value comes to the other device as it was, to the bit.

use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{Database, DocumentId};
use proptest::prelude::*;
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::world::{Device, write};

/// One value; texts need not be UTF-8.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Integer(i64),
    Real(u64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(i) => ValueRef::Integer(*i),
            Self::Real(bits) => ValueRef::Real(f64::from_bits(*bits)),
            Self::Text(text) => ValueRef::Text(text),
            Self::Blob(blob) => ValueRef::Blob(blob),
        }))
    }
}

fn value(row: &rusqlite::Row<'_>, column: usize) -> Value {
    match row.get_ref(column).unwrap() {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(i) => Value::Integer(i),
        ValueRef::Real(f) => Value::Real(f.to_bits()),
        ValueRef::Text(text) => Value::Text(text.to_vec()),
        ValueRef::Blob(blob) => Value::Blob(blob.to_vec()),
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let real = prop_oneof![
        any::<u64>(),
        any::<f64>().prop_map(f64::to_bits),
        any::<i32>().prop_map(|i| f64::from(i).to_bits()),
        Just(f64::INFINITY.to_bits()),
        Just(f64::NEG_INFINITY.to_bits()),
        Just((-0.0_f64).to_bits()),
        Just(f64::NAN.to_bits()),
        Just(f64::MIN_POSITIVE.to_bits() >> 1),
    ];
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Integer),
        Just(Value::Integer((1 << 53) + 1)),
        real.prop_map(Value::Real),
        any::<String>().prop_map(|text| Value::Text(text.into_bytes())),
        Just(Value::Text(b"a\0b".to_vec())),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Value::Text),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Value::Blob),
    ]
}

const SCHEMA: &str =
    "CREATE TABLE t (id PRIMARY KEY, v, i INTEGER, r REAL, n NUMERIC, x TEXT, b BLOB)";

/// All rows, to the bit.
fn rows(device: &Device) -> Vec<Vec<Value>> {
    let app = device.app();
    let mut statement = app.prepare("SELECT * FROM t ORDER BY id").unwrap();
    let rows = statement.query_map([], |row| Ok((0..7).map(|i| value(row, i)).collect()));
    rows.unwrap().map(Result::unwrap).collect()
}

/// The rows of one device, written on another as a sync does.
async fn carry(from: &Device, to: &Device, count: i64) {
    let ids: Vec<_> = (0..count).map(|i| DocumentId::from(format!("[\"t\",{i}]"))).collect();
    let mut writes = Vec::new();
    for id in ids {
        let document = from.database.get(&id).await.unwrap();
        writes.push(write(id, document, None));
    }
    for outcome in to.database.apply(writes.clone()).await {
        assert!(outcome.is_done(), "{outcome:?}");
    }
    for write in writes {
        assert_eq!(to.database.get(&write.id).await.unwrap(), write.document);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]
    #[test]
    fn rows_of_any_values_are_the_same_on_the_other_device(
        all in prop::collection::vec(prop::collection::vec(any_value(), 6), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let cloud = MemoryAdapter::new();
            let a = Device::new(&cloud, SCHEMA, &["t"]).await;
            let b = Device::new(&cloud, SCHEMA, &["t"]).await;
            let app = a.app();
            let insert = "INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            for (i, row) in all.iter().enumerate() {
                let i = i64::try_from(i).unwrap();
                let row = [vec![Value::Integer(i)], row.clone()].concat();
                app.execute(insert, rusqlite::params_from_iter(row)).unwrap();
            }
            carry(&a, &b, i64::try_from(all.len()).unwrap()).await;
            assert_eq!(rows(&a), rows(&b));
        });
    }

    #[test]
    fn a_row_whose_id_is_any_value_comes_back_under_it(id in any_value(), v in any_value()) {
        prop_assume!(id != Value::Null && !matches!(id, Value::Real(r) if f64::from_bits(r).is_nan()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let cloud = MemoryAdapter::new();
            let a = Device::new(&cloud, SCHEMA, &["t"]).await;
            let b = Device::new(&cloud, SCHEMA, &["t"]).await;
            a.app().execute("INSERT INTO t (id, v) VALUES (?1, ?2)", [&id, &v]).unwrap();
            assert_eq!(a.sync().await.pushed, 1);
            assert_eq!(b.sync().await.pulled, 1);
            assert_eq!(rows(&a), rows(&b));
        });
    }
}
