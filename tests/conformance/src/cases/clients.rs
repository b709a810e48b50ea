//! A second client (rule S1), and one that cannot reach its storage (rule S9).

use bytes::Bytes;
use db_to_cloud::{Adapter, Atomicity, Copied, Created, DocumentId, Error, Folder};

use crate::content::{expect, expect_none, noise};
use crate::context::{CaseResult, Context, Stop, check};

pub(super) async fn another_client_sees_a_finished_write(cx: &Context) -> CaseResult {
    let Some(other) = cx.options.other.clone() else {
        return Err(Stop::Skipped("needs a second client: Options::with_other".to_owned()));
    };
    // Both ways, and each reads before it is told: a cache of what was absent or old shows.
    for (writer, reader) in [(&*cx.adapter, &*other), (&*other, &*cx.adapter)] {
        let key = cx.key()?;
        expect_none(reader, &key).await?;
        for content in [noise(1, 800), noise(2, 30)] {
            writer.put(&key, content.clone()).await?;
            expect(reader, &key, &content).await?;
        }
        writer.delete(&key).await?;
        expect_none(reader, &key).await?;
        if cx.adapter.capabilities().create != Atomicity::Weak {
            writer.create(&key, noise(3, 60)).await?;
            expect(reader, &key, &noise(3, 60)).await?;
            let created = reader.create(&key, noise(4, 60)).await?;
            check!(created == Created::Occupied, "{key}: {created:?} although the other made it");
        }
    }
    Ok(())
}

pub(super) async fn an_unreachable_storage_is_an_error_not_an_absence(cx: &Context) -> CaseResult {
    let Some(broken) = cx.options.unreachable.clone() else {
        let need = "needs a client that cannot reach its storage: Options::with_unreachable";
        return Err(Stop::Skipped(need.to_owned()));
    };
    let keys = [cx.absent_slot(), cx.top_key()?, cx.document(&DocumentId::from("x")), cx.key()?];
    for key in &keys {
        is_error("get", broken.get(key).await)?;
        is_error("get_start", broken.get_start(key, 10).await)?;
        is_error("put", broken.put(key, Bytes::new()).await)?;
        is_error("delete", broken.delete(key).await)?;
        is_error("create", broken.create(key, Bytes::new()).await)?;
    }
    for folder in [Folder::Changes, Folder::Documents, Folder::Snapshots, Folder::Probe] {
        is_error("list", broken.list(folder, None).await)?;
        is_error("names", broken.names(Some(folder), 10).await)?;
    }
    is_error("names", broken.names(None, 10).await)?;
    many_are_errors(&*broken, &keys).await
}

async fn many_are_errors(broken: &dyn Adapter, keys: &[db_to_cloud::Key]) -> CaseResult {
    for answer in broken.get_many(keys).await {
        is_error("get_many", answer)?;
    }
    for answer in broken.delete_many(keys).await {
        is_error("delete_many", answer)?;
    }
    let items = keys.iter().map(|key| (key.clone(), Bytes::new())).collect();
    for answer in broken.put_many(items).await {
        is_error("put_many", answer)?;
    }
    let pair = keys.iter().find_map(|key| key.vid().map(|_| (key.clone(), key.clone())));
    for answer in broken.copy_many(pair.into_iter().collect()).await {
        // It may be said without a request.
        let unsupported = matches!(answer, Ok(Copied::Unsupported));
        check!(unsupported || answer.is_err(), "copy_many answers {answer:?} without a storage");
    }
    Ok(())
}

fn is_error<T: std::fmt::Debug>(operation: &str, answer: Result<T, Error>) -> CaseResult {
    check!(answer.is_err(), "{operation} answers {answer:?} although there is no storage");
    Ok(())
}
