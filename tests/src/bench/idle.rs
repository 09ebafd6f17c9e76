//! What one more peer costs with whom there is nothing to say.

use std::{path::Path, sync::Arc, thread, time::Duration};

use super::{
    Figure, Goal, Scale,
    away::wired,
    territory::{LONGEST, resident},
};
use crate::daemon::{Daemon, Settings, Trouble, pair, wait};

/// Peers that are there when the memory is looked at first, and those that come then.
const FEW: usize = 2;
const MORE: usize = 30;
const SETTLED: Duration = Duration::from_secs(30);
const COUNTED: Duration = Duration::from_secs(180);
const KIB: f64 = 1_024.0;

pub(super) fn measure(root: &Path, _: Scale) -> Result<Vec<Figure>, Trouble> {
    let goal = |most| Goal::AtMost(most * KIB);
    Ok(vec![
        Figure::new(
            "idle_peer_memory",
            memory(&root.join("memory"))?,
            "bytes",
            None,
            goal(200.0),
        ),
        Figure::new(
            "idle_peer_traffic",
            traffic(&root.join("traffic"))?,
            "bytes/min",
            None,
            goal(2.0),
        ),
    ])
}

fn memory(root: &Path) -> Result<f64, Trouble> {
    let mut a = Daemon::new(root, Settings::dac())?;
    let mut peers = Vec::new();
    let few = with_peers(&mut a, &mut peers, root, FEW)?;
    let many = with_peers(&mut a, &mut peers, root, FEW + MORE)?;
    Ok((many - few) / MORE as f64)
}

/// Resident memory of A some time after a start, connected with so many.
pub(super) fn with_peers(
    a: &mut Daemon,
    peers: &mut Vec<Daemon>,
    root: &Path,
    count: usize,
) -> Result<f64, Trouble> {
    while peers.len() < count {
        let name = format!("p{}", peers.len());
        let settings = Settings {
            name,
            ..Settings::cpts()
        };
        let peer = Daemon::new(root, settings)?;
        pair(a, &peer)?;
        peers.push(peer);
    }
    a.stop()?;
    a.start()?;
    let mut client = a.client()?;
    wait::until_seen("all peers are connected", LONGEST, || {
        let lines = client.peer_list()?.peers;
        let connected = lines.iter().filter(|line| line.connected).count();
        Ok(((connected == count).then_some(()), connected))
    })?;
    thread::sleep(SETTLED);
    resident(a)
}

/// Bytes a minute between two nodes with nothing to say, both ways, without the headers of IP and UDP.
fn traffic(root: &Path) -> Result<f64, Trouble> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(Trouble::io("a runtime"))?;
    let (_two, cables) = wired(root, &Arc::new(runtime))?;
    thread::sleep(SETTLED);
    let passed = || {
        cables
            .iter()
            .map(super::super::daemon::Cable::passed)
            .sum::<u64>()
    };
    let before = passed();
    thread::sleep(COUNTED);
    let minutes = COUNTED.as_secs_f64() / 60.0;
    Ok((passed() - before) as f64 / minutes)
}
