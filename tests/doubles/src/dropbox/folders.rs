//! Making folders, and moving (facts 5.2).

use serde::Deserialize;

use super::account::Api;
use super::answers;
use super::arg::WritePath;
use super::call::{Call, Outcome};
use super::json::Json;
use super::tree::NotMoved;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FolderArg {
    path: WritePath,
    #[serde(default)]
    autorename: bool,
}

pub(crate) fn create_folder(api: &Api, call: &Call) -> Outcome {
    let arg: FolderArg = call.arg()?;
    if arg.autorename {
        return Err(call.bad("autorename: the double renames no folders"));
    }
    let mut account = api.account();
    if account.is_locked {
        return Err(answers::too_many_write_operations(None));
    }
    let made = account.tree.create_folder(&arg.path.0);
    let node = made.map_err(|error| call.refuse(Json::nested("path", error.json())))?;
    Ok(Json::object().with("metadata", node.json()).into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveArg {
    from_path: WritePath,
    to_path: WritePath,
    #[serde(default)]
    autorename: bool,
    #[serde(default, rename = "allow_ownership_transfer")]
    _transfer: bool,
    #[serde(default, rename = "allow_shared_folder")]
    _shared: bool,
}

pub(crate) fn rename(api: &Api, call: &Call) -> Outcome {
    let arg: MoveArg = call.arg()?;
    if arg.autorename {
        return Err(call.bad("autorename: the double renames nothing it moves"));
    }
    let mut account = api.account();
    if account.is_locked {
        return Err(call.refuse(Json::tag("too_many_write_operations")));
    }
    let moved = account.tree.rename(&arg.from_path.0, &arg.to_path.0);
    let node = moved.map_err(|error| {
        call.refuse(match error {
            NotMoved::From(lookup) => Json::nested("from_lookup", lookup.json()),
            NotMoved::To(not_written) => Json::nested("to", not_written.json()),
            NotMoved::IntoItself => Json::tag("duplicated_or_nested_paths"),
        })
    })?;
    Ok(Json::object().with("metadata", node.tagged()).into())
}
