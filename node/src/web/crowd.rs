//! How many connections each network has: one that wants all places does not get them.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::access::network_of;

/// Connections of one network at one time; more are closed. A hospital behind one address has some hundred, most of
/// them HTTP/2 with one each. A proxy may have all places.
const OF_ONE_NETWORK: usize = 250;

/// How many connections each network has.
#[derive(Default)]
pub(super) struct Crowd(Mutex<HashMap<IpAddr, usize>>);

/// One of them, until it is dropped.
pub(super) struct There {
    crowd: Arc<Crowd>,
    network: IpAddr,
}

impl Crowd {
    /// Counts one more; none where that network has as many as it may.
    pub(super) fn enter(self: &Arc<Self>, from: IpAddr, proxy: Option<IpAddr>) -> Option<There> {
        let network = network_of(from);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(network).or_default();
        if *count >= OF_ONE_NETWORK && proxy != Some(from) {
            return None;
        }
        *count += 1;
        Some(There {
            crowd: Arc::clone(self),
            network,
        })
    }
}

impl Drop for There {
    fn drop(&mut self) {
        let mut held = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_does_not_get_all_places_and_a_proxy_may() {
        let crowd = Arc::new(Crowd::default());
        let from: IpAddr = "2001:db8:1:2::7".parse().expect("an address");
        let same: IpAddr = "2001:db8:1:2::8".parse().expect("an address");
        let other: IpAddr = "192.0.2.7".parse().expect("an address");
        let mut there: Vec<_> = (0..OF_ONE_NETWORK)
            .filter_map(|_| crowd.enter(from, None))
            .collect();
        assert_eq!(there.len(), OF_ONE_NETWORK);
        assert!(crowd.enter(same, None).is_none());
        assert!(crowd.enter(other, None).is_some());
        assert!(crowd.enter(same, Some(same)).is_some());
        there.pop();
        assert!(crowd.enter(same, None).is_some());
        drop(there);
        assert!(crowd.0.lock().expect("whole").is_empty());
    }
}
