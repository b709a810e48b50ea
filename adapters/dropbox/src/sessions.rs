//! Files that are uploaded in sessions: one that is too large for a request, in pieces.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::Call;
use crate::client::Client;
use crate::error::Failure;
use crate::files::{Commit, Stored};
use crate::hash::content_hash;

/// Where in which session.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Cursor {
    pub(crate) session_id: String,
    pub(crate) offset: usize,
}

/// What a session becomes.
#[derive(Debug, Serialize)]
pub(crate) struct Finish<'a> {
    pub(crate) cursor: Cursor,
    pub(crate) commit: &'a Commit,
}

#[derive(Serialize)]
struct Start<'a> {
    close: bool,
    content_hash: &'a str,
}

#[derive(Deserialize)]
struct Started {
    session_id: String,
}

#[derive(Serialize)]
struct Append<'a> {
    cursor: &'a Cursor,
    close: bool,
    content_hash: &'a str,
}

/// Uploads a file in pieces. An error on the way leaves a session behind that Dropbox forgets after a
/// week.
pub(crate) async fn put_large(
    client: &Client,
    commit: Commit,
    bytes: Bytes,
) -> Result<(), Failure> {
    let pieces: Vec<Bytes> =
        bytes.chunks(client.piece).map(|piece| bytes.slice_ref(piece)).collect();
    let mut cursor = Cursor { session_id: String::new(), offset: 0 };
    for (i, piece) in pieces.iter().enumerate() {
        let (close, content_hash) = (i + 1 == pieces.len(), &content_hash(piece));
        if i == 0 {
            let start = Start { close, content_hash };
            let start = Call::upload("files/upload_session/start", &start, piece.clone());
            cursor.session_id = client.ask::<Started>(start).await?.session_id;
        } else {
            let append = Append { cursor: &cursor, close, content_hash };
            let append = Call::upload("files/upload_session/append_v2", &append, piece.clone());
            client.ask::<Value>(append).await?;
        }
        cursor.offset += piece.len();
    }
    let finish = Finish { cursor, commit: &commit };
    let call = Call::upload("files/upload_session/finish", &finish, Bytes::new());
    let call = call.creating(commit.is_create());
    let _alone = client.commits.read().await;
    client.ask::<Stored>(call).await?.check(bytes.len(), &content_hash(&bytes))
}
