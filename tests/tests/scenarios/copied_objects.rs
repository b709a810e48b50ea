//! What goes wrong with a copy that the storage makes, in the harness: as with a put.

use db_to_cloud::{Adapter, Copied, DocumentId, Effect, ErrorKind, Key, VersionId};
use db_to_cloud_tests::{Fault, World};
use futures::FutureExt;

fn version(n: u128) -> Key {
    Key::document(&DocumentId::from("note"), VersionId::from(n))
}

#[tokio::test]
async fn the_faults_of_a_put_happen_to_a_copy() {
    let world = World::new();
    let storage = world.device("alice").storage;
    let old = version(1);
    storage.put(&old, "text".into()).await.unwrap();
    let faults = [
        (Fault::Refused(ErrorKind::Forbidden), Effect::None, false),
        (Fault::Lost, Effect::Unknown, false),
        (Fault::AnswerLost, Effect::Unknown, true),
        (Fault::Delayed, Effect::Unknown, false),
    ];
    for (n, (fault, effect, copied)) in (2..).zip(faults) {
        storage.fail("copy", "docs/", fault);
        let error = storage.copy(&old, &version(n)).await.unwrap_err();
        assert_eq!(error.effect(), effect, "{fault:?}");
        assert_eq!(world.cloud.objects().contains_key(&version(n)), copied, "{fault:?}");
    }
    storage.deliver().await;
    assert_eq!(storage.get(&version(5)).await.unwrap().unwrap(), "text");
    storage.fail("copy", version(6).as_str(), Fault::Hangs);
    let pairs = vec![(old.clone(), version(7)), (version(99), version(8))];
    let answers = storage.copy_many(pairs).await;
    assert!(matches!(answers[..], [Ok(Copied::Done), Ok(Copied::Missing)]), "{answers:?}");
    assert!(storage.copy(&old, &version(6)).now_or_never().is_none());
    assert!(world.cloud.objects().contains_key(&version(6)));
    storage.journal.take();
    storage.refuse_copies();
    assert_eq!(storage.copy(&old, &version(9)).await.unwrap(), Copied::Unsupported);
    assert_eq!(storage.journal.take(), [""; 0]);
}
