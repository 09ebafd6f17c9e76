//! The forwarder itself, between real sockets: what it holds, loses and lets through is what its page promises.

mod tcp;
mod udp;

use std::error::Error;
use std::future::Future;
use std::time::Duration;

/// What a story returns: any error is a failed test that says where it came from.
type Story = Result<(), Box<dyn Error>>;

/// A bound for what must happen, far above what it takes.
async fn within<T>(happens: impl Future<Output = T>) -> Result<T, Box<dyn Error>> {
    tokio::time::timeout(Duration::from_secs(20), happens)
        .await
        .map_err(|_| "nothing happened in 20 s".into())
}

/// Whether something stays away: the only way to see that is to look for a while.
async fn stays_away<T>(happens: impl Future<Output = T>) -> bool {
    tokio::time::timeout(Duration::from_millis(150), happens)
        .await
        .is_err()
}
