//! Making folders, moving, and copying (facts 5.2).

use serde::Deserialize;

use super::account::{Account, Api};
use super::answers;
use super::arg::WritePath;
use super::call::{Call, Outcome};
use super::json::Json;
use super::metadata::Node;
use super::tree::{NotMoved, NotWritten};

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
    let node = moved.map_err(|error| call.refuse(error.json()))?;
    Ok(Json::object().with("metadata", node.tagged()).into())
}

pub(crate) fn copy(api: &Api, call: &Call) -> Outcome {
    let arg: MoveArg = call.arg()?;
    if arg.autorename {
        return Err(call.bad("autorename: the double renames nothing it copies"));
    }
    let mut account = api.account();
    if account.is_locked {
        return Err(call.refuse(Json::tag("too_many_write_operations")));
    }
    let copied = account.copy(&arg.from_path.0, &arg.to_path.0);
    let node = copied.map_err(|error| call.refuse(error.json()))?;
    Ok(Json::object().with("metadata", node.tagged()).into())
}

impl Account {
    /// Copies a file if there is space for it.
    pub(crate) fn copy(&mut self, from: &str, to: &str) -> Result<Node, NotMoved> {
        let size = self.tree.find(from).ok().and_then(Node::file).map(|file| file.content.len());
        if self.tree.bytes() + size.unwrap_or_default() > self.knobs.space {
            return Err(NotMoved::To(NotWritten::Full));
        }
        self.tree.copy(from, to)
    }
}

impl NotMoved {
    /// `RelocationError`.
    pub(crate) fn json(self) -> Json {
        match self {
            Self::From(lookup) => Json::nested("from_lookup", lookup.json()),
            Self::To(not_written) => Json::nested("to", not_written.json()),
            Self::IntoItself => Json::tag("duplicated_or_nested_paths"),
        }
    }
}
