//! Who is being asked for which attachment: so that two sessions do not fetch the same one.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::ids::{Hash, NodeId};

/// How long a claim holds after it was last renewed, milliseconds.
const CLAIM_MS: u64 = 20_000;
/// Claims kept; more are refused until some have ended.
const CLAIMS: usize = 4096;

/// Claims of this node's sessions. Nothing of it is durable: after a restart everybody may be asked.
#[derive(Debug, Default)]
pub struct Claims(Mutex<HashMap<Hash, (NodeId, u64)>>);

impl Claims {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<Hash, (NodeId, u64)>) -> T) -> T {
        // Every change is one insertion or removal; a poisoned lock leaves the map whole.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the session with `peer` may ask for the attachment now; renews its claim.
    pub fn claim(&self, address: Hash, peer: NodeId, now_ms: u64) -> bool {
        self.with(|claims| {
            let free = claims
                .get(&address)
                .is_none_or(|(holder, until_ms)| *holder == peer || *until_ms <= now_ms);
            if claims.len() >= CLAIMS {
                claims.retain(|_, (_, until_ms)| *until_ms > now_ms);
            }
            if !free || claims.len() >= CLAIMS {
                return false;
            }
            claims.insert(address, (peer, now_ms + CLAIM_MS));
            true
        })
    }

    /// The session with `peer` asks no more for this attachment.
    pub fn free(&self, address: &Hash, peer: &NodeId) {
        self.with(|claims| {
            if claims
                .get(address)
                .is_some_and(|(holder, _)| holder == peer)
            {
                claims.remove(address);
            }
        });
    }

    /// The session with `peer` has ended.
    pub fn free_all(&self, peer: &NodeId) {
        self.with(|claims| claims.retain(|_, (holder, _)| holder != peer));
    }
}
