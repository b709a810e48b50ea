//! A folder in one answer (facts 2.1, 5.2).

use std::io::{Cursor, Write};

use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::account::Api;
use super::call::{self, Call, Outcome, Reply};
use super::download::PathArg;
use super::json::Json;
use super::metadata::Node;
use super::tree::Lookup;

/// A folder must have fewer entries, itself among them.
const ENTRIES: usize = 10_000;

pub(crate) fn download(api: &Api, call: &Call) -> Outcome {
    let arg: PathArg = call.arg()?;
    let account = api.account();
    let refuse = |lookup: Lookup| call.refuse(Json::nested("path", lookup.json()));
    let folder = account.tree.find(&arg.path.0).map_err(refuse)?;
    if !folder.is_folder() {
        return Err(refuse(Lookup::NotFolder));
    }
    let inside = account.tree.inside(&folder.display);
    if inside.len() + 1 >= ENTRIES {
        return Err(call.refuse(Json::tag("too_many_files")));
    }
    let archive = pack(folder, &inside).expect("a file in memory can be written");
    let result = Json::object().with("metadata", folder.json());
    Ok(Reply::Download(call::download(200, &result, archive.into())))
}

/// The names begin with that of the folder.
fn pack(folder: &Node, inside: &[&Node]) -> ZipResult<Vec<u8>> {
    let around = folder.display.rfind('/').map_or(0, |slash| slash + 1);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for node in std::iter::once(&folder).chain(inside) {
        let name = node.display.get(around..).unwrap_or_default();
        match node.file() {
            None => archive.add_directory(name, options)?,
            Some(file) => {
                archive.start_file(name, options)?;
                archive.write_all(&file.content)?;
            }
        }
    }
    Ok(archive.finish()?.into_inner())
}
