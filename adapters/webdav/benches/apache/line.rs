//! A line on which each message is late.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// The address of a relay to this port whose answers are so late.
pub(crate) async fn open(port: u16, latency: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            near.set_nodelay(true).unwrap();
            far.set_nodelay(true).unwrap();
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::spawn(relay(near_in, far_out, Duration::ZERO));
            tokio::spawn(relay(far_in, near_out, latency));
        }
    });
    url
}

/// Each piece that is read is late, also the later ones of a long answer.
async fn relay(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, latency: Duration) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        tokio::time::sleep(latency).await;
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
}
