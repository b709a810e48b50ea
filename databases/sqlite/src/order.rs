//! The order in which a batch is written.

use std::collections::HashMap;

use crate::attach::Shapes;
use crate::batch::Job;
use crate::read::place;

/// The jobs, the last one to be made first: puts before deletes, as a delete is made only if each put
/// that needs its room is; of puts the rows that refer to others after those, of deletes before.
pub(crate) fn ordered(jobs: Vec<Job>, shapes: &Shapes) -> Vec<Job> {
    let depths = depths(shapes);
    let any = depths.values().any(|depth| *depth > 0);
    let depth = |job: &Job| {
        let table = any.then(|| place(shapes, &job.id)).flatten().map(|(key, _)| key.table);
        let depth = table.and_then(|table| depths.get(&table)).copied().unwrap_or(0);
        match job.document {
            None => (1, -depth),
            Some(_) => (0, depth),
        }
    };
    let mut jobs = jobs;
    jobs.sort_by_cached_key(depth);
    jobs.reverse();
    jobs
}

/// How many tables a table's rows lead through at most; circles are cut.
fn depths(shapes: &Shapes) -> HashMap<String, i64> {
    let all = shapes.all();
    let mut depths: HashMap<String, i64> = all.iter().map(|s| (s.name.clone(), 0)).collect();
    for _ in 0..all.len() {
        for shape in &all {
            let others = shape.parents.iter().filter(|parent| parent.table != shape.name);
            let deepest = others.filter_map(|parent| depths.get(&parent.table)).max();
            let most = i64::try_from(all.len()).unwrap_or(i64::MAX);
            if let Some(deepest) = deepest {
                let depth = (*deepest + 1).min(most);
                depths.insert(shape.name.clone(), depth);
            }
        }
    }
    depths
}
