//! `db-to-cloud sync --dry-run`: what would be done.

use std::process::ExitCode;
use std::sync::Arc;

use db_to_cloud::{DocumentId, LocalWins};

use crate::args::Sync;
use crate::decide::try_out;
use crate::failure::Failure;
use crate::local::Local;
use crate::output::{json, result};

pub(crate) async fn run(options: &Sync) -> Result<ExitCode, Failure> {
    let local = Local::look(&options.sides).await?;
    try_out(&options.folder, &local.side)?;
    let adapter = local.look_at_remote().await?;
    // Nothing is put to the resolver.
    let client = local.client(adapter, Arc::new(LocalWins)).build();
    let preview = client.preview().await?;
    if options.json {
        json(&preview)?;
        return Ok(ExitCode::SUCCESS);
    }
    let lists: [(&str, &[DocumentId]); 5] = [
        ("pull", &preview.pull),
        ("delete here", &preview.delete),
        ("push", &preview.push),
        ("delete there", &preview.push_deletes),
        ("conflict", &preview.conflicts),
    ];
    for (what, ids) in lists {
        for id in ids {
            result(format_args!("{what:12}  {id}"))?;
        }
    }
    let counts = lists.map(|(what, ids)| format!("{what} {}", ids.len())).join(", ");
    let excluded = match preview.excluded {
        0 => String::new(),
        excluded => format!(", leave out {excluded}"),
    };
    result(format_args!("nothing was changed; a sync would: {counts}{excluded}"))?;
    Ok(ExitCode::SUCCESS)
}
