//! `db-to-cloud repair`: what can be done about entries that no device can read, and doing it.

use std::process::ExitCode;
use std::sync::Arc;

use db_to_cloud::{Client, LocalWins, RepairPlan, RepairStep};
use serde::Serialize;
use tokio::sync::Notify;

use crate::args::{Repair, device_name};
use crate::ask;
use crate::failure::{ASKS, Failure};
use crate::interrupt::Signals;
use crate::local::Local;
use crate::output::{json, note, result};

/// What `repair --json` prints. Its keys are a promise.
#[derive(Debug, Serialize)]
struct Json<'a> {
    steps: &'a [RepairStep],
    /// Whether the steps were done that this device can do, and there were any.
    done: bool,
}

pub(crate) async fn run(options: Repair) -> Result<ExitCode, Failure> {
    let mut signals = Signals::listen()?;
    let (client, plan, agreed) = signals.cut_short(look(&options)).await?;
    if agreed {
        let stop = Notify::new();
        signals.stop_in_order(client.repair_until(&plan, stop.notified()), &stop).await??;
    }
    match options.json {
        true => json(&Json { steps: &plan.steps, done: agreed })?,
        false if agreed => result("repaired: sync all devices now")?,
        false => {}
    }
    let is_all = !plan.steps.iter().any(|step| matches!(step, RepairStep::Elsewhere { .. }));
    Ok(match (plan.is_any_possible(), is_all) {
        (true, _) if !agreed => {
            note("hint: nothing was changed; to do it, add --yes");
            ExitCode::from(ASKS)
        }
        (_, true) => ExitCode::SUCCESS,
        (_, false) => ExitCode::FAILURE,
    })
}

/// What can be done, and whether it is to be done.
async fn look(options: &Repair) -> Result<(Client, RepairPlan, bool), Failure> {
    let local = Local::open(&options.sides).await?;
    let adapter = local.look_at_remote().await?;
    // Nothing is put to the resolver.
    let client = local.client(adapter, Arc::new(LocalWins)).with_device(device_name(None)).build();
    let plan = client.repair_plan().await?;
    if !options.json {
        print(&plan)?;
    }
    let agreed = plan.is_any_possible() && (options.yes || is_agreed(options.json).await);
    Ok((client, plan, agreed))
}

fn print(plan: &RepairPlan) -> Result<(), Failure> {
    if plan.steps.is_empty() {
        return result("nothing to repair: every device can read this storage");
    }
    plan.steps.iter().try_for_each(result)
}

async fn is_agreed(is_script: bool) -> bool {
    if is_script || !ask::is_possible() {
        return false;
    }
    ask::is_agreed("Do it? [y/N] ".to_owned()).await
}
