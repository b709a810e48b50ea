//! The values of a row that others refer to, before and after it is changed.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params_from_iter};

use crate::attach::Shapes;
use crate::cell::Cell;
use crate::children::{Child, Left};
use crate::parents::cells;
use crate::statements::quoted;
use crate::write::Row;

/// The foreign keys that refer to a row.
pub(crate) struct Referred<'a> {
    row: &'a Row<'a>,
    children: &'a [Arc<Child>],
}

impl<'a> Referred<'a> {
    /// None of them if they do not count.
    pub(crate) fn new(row: &'a Row<'a>, shapes: &'a Shapes, do_count: bool) -> Self {
        let children = shapes.children.get(&row.shape.name).filter(|_| do_count);
        Self { row, children: children.map_or(&[], |children| children) }
    }

    /// What a delete of the row leaves.
    pub(crate) fn deleted(&self) -> rusqlite::Result<Vec<Left>> {
        self.children.iter().filter_map(|child| self.left(child).transpose()).collect()
    }

    /// Values that a change of the row may change: all but its id.
    pub(crate) fn changing(&self) -> rusqlite::Result<Vec<Left>> {
        let others = self.children.iter().filter(|child| !self.is_id(child));
        others.filter_map(|child| self.left(child).transpose()).collect()
    }

    /// Those of them that it did change.
    pub(crate) fn changed(&self, before: Vec<Left>) -> rusqlite::Result<Vec<Left>> {
        let mut changed = Vec::new();
        for mut left in before {
            left.new = self.values(&left.child)?;
            if left.new.as_ref() != Some(&left.values) {
                changed.push(left);
            }
        }
        Ok(changed)
    }

    fn left(&self, child: &Arc<Child>) -> rusqlite::Result<Option<Left>> {
        let values = self.values(child)?;
        Ok(values.map(|values| Left { child: child.clone(), values, new: None }))
    }

    fn is_id(&self, child: &Child) -> bool {
        let is_key = |to: &String| self.row.shape.keys.iter().any(|k| k.eq_ignore_ascii_case(to));
        child.to.iter().all(is_key)
    }

    /// What the row has in the columns that a foreign key refers to.
    fn values(&self, child: &Child) -> rusqlite::Result<Option<Vec<Cell>>> {
        let Row { connection, shape, key, .. } = self.row;
        let list = child.to.iter().map(|to| quoted(to)).collect::<Vec<_>>().join(", ");
        let (table, is_row) = (&shape.view.statements.table, &shape.view.statements.is_row);
        let sql = format!("SELECT {list} FROM {table} WHERE {is_row}");
        let mut statement = connection.prepare_cached(&sql)?;
        let values =
            statement.query_row(params_from_iter(&key.cells), |row| cells(row, child.to.len()));
        values.optional()
    }
}
