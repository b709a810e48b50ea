//! The `sqlite3` of the system, as another program that works on a database.

use std::path::Path;
use std::process::Command;

/// What `sqlite3` answers: a line a row, `|` between the values.
#[track_caller]
pub fn sqlite3(database: &Path, sql: &str) -> String {
    sqlite3_as("-list", database, sql)
}

/// The same in another form, such as `-quote` for values with their types.
#[track_caller]
pub fn sqlite3_as(form: &str, database: &Path, sql: &str) -> String {
    let output = Command::new("sqlite3")
        .args([form, "-bail", "-cmd", ".timeout 10000"])
        .arg(database)
        .arg(sql)
        .output()
        .expect("sqlite3 is installed: apt-get install sqlite3");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{sql}: {errors}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}
