//! The lock is taken and released again and again, by devices that know of it or not.

use std::sync::Arc;

use db_to_cloud::{Adapter, Created, Key};
use db_to_cloud_test_doubles::Drive;
use futures::future::join_all;

use crate::support::{config, open};

#[tokio::test]
async fn a_lock_is_held_by_one_and_released_for_all() {
    let double = Drive::start().await;
    let config = config(&double);
    let (alice, bob) = (open(&config), open(&config));
    let lock = Key::lock();
    for round in 0..5 {
        let own = format!("alice {round}");
        assert_eq!(alice.get(&lock).await.unwrap(), None);
        assert_eq!(alice.create(&lock, own.clone().into()).await.unwrap(), Created::New);
        assert_eq!(bob.create(&lock, "bob".into()).await.unwrap(), Created::Occupied);
        assert_eq!(bob.get(&lock).await.unwrap().unwrap(), own);
        // Bob breaks it.
        bob.put(&lock, "bob".into()).await.unwrap();
        assert_eq!(alice.get(&lock).await.unwrap().unwrap(), "bob");
        bob.delete(&lock).await.unwrap();
        alice.delete(&lock).await.unwrap();
    }
    // A new device goes along all of them.
    let carol = open(&config);
    assert_eq!(carol.get(&lock).await.unwrap(), None);
    assert_eq!(carol.create(&lock, "carol".into()).await.unwrap(), Created::New);
    assert_eq!(alice.get(&lock).await.unwrap().unwrap(), "carol");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_one_gets_the_lock() {
    let double = Drive::start().await;
    let config = config(&double);
    let clients: Vec<_> = (0..8).map(|_| Arc::new(open(&config))).collect();
    for round in 0..10 {
        let takes = clients.iter().enumerate().map(|(i, client)| async move {
            let created = client.create(&Key::lock(), format!("{i}").into()).await.unwrap();
            (i, created == Created::New)
        });
        let answers = join_all(takes).await;
        let winners: Vec<_> = answers.iter().filter(|(_, new)| *new).map(|(i, _)| *i).collect();
        assert_eq!(winners.len(), 1, "round {round}");
        let held = clients[0].get(&Key::lock()).await.unwrap().unwrap();
        assert_eq!(held, format!("{}", winners[0]), "round {round}");
        clients[(winners[0] + 1) % 8].delete(&Key::lock()).await.unwrap();
    }
}
