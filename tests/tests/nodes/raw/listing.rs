//! What a bare libp2p client is offered by a whole daemon: a stranger nothing, a peer four protocols.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use libp2p::identity::Keypair;
use maillon_protocol::admin::Status;
use maillon_tests::daemon::{Daemon, Settings, Trouble, pair, wait};

use super::{
    Taken,
    bare::{Heard, ask, list},
    runtime, ways,
};
use crate::{Story, ensure, folder};

/// Everything that a node speaks with those whom it knows.
const SPOKEN: [&str; 4] = [
    "/ipfs/id/1.0.0",
    "/ipfs/id/push/1.0.0",
    "/ipfs/ping/1.0.0",
    "/maillon/sync/1",
];

/// One number of `/metrics`.
fn metric(daemon: &Daemon, name: &str) -> Result<u64, Trouble> {
    let address = std::fs::read_to_string(daemon.folder().join("run").join("http"));
    let address = address.map_err(Trouble::io("run/http"))?;
    let mut stream = TcpStream::connect(address.trim()).map_err(Trouble::io("/metrics"))?;
    let mut words = String::new();
    stream
        .write_all(b"GET /metrics HTTP/1.0\r\n\r\n")
        .and_then(|()| stream.read_to_string(&mut words))
        .map_err(Trouble::io("/metrics"))?;
    let mut values = words.lines().filter_map(|line| line.strip_prefix(name));
    let value = values.find_map(|rest| rest.trim().parse().ok());
    value.ok_or_else(|| Trouble::wrong(format!("no {name} in {words}")))
}

/// A node's own words on itself, without what changes by itself.
fn lasting(status: Status) -> (Vec<maillon_protocol::ids::NodeId>, u64, u64) {
    let peers = status.peers.iter().map(|peer| peer.node).collect();
    (peers, status.circles, status.records)
}

#[test]
fn a_stranger_is_offered_nothing_over_quic_or_tcp_and_is_counted() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let before = lasting(daemon.client()?.status()?);
    let runtime = runtime()?;
    let nothing = Heard {
        closed: true,
        ..Heard::default()
    };
    let mut refused = 0;
    for way in ways(daemon.address())? {
        let stranger = Keypair::generate_ed25519();
        let (protocols, heard) = runtime.block_on(list(&stranger, way.clone()))?;
        ensure(protocols.is_empty() && heard == nothing, || {
            format!("{way} told a stranger {heard:?}")
        })?;
        // Whatever it asks for, a charter's stream included.
        for protocol in SPOKEN
            .into_iter()
            .chain(["/maillon/pairing/1", "/maillon/charter/1"])
        {
            let heard = runtime.block_on(ask(&stranger, way.clone(), protocol))?;
            ensure(heard == nothing, || format!("{way} {protocol}: {heard:?}"))?;
        }
        refused += 7;
    }
    wait::until_seen("all are counted", wait::LONG, || {
        let counted = metric(&daemon, "maillon_strangers_refused ")?;
        Ok(((counted == refused).then_some(()), counted))
    })?;
    ensure(lasting(daemon.client()?.status()?) == before, || {
        String::from("a stranger changed something")
    })
}

#[test]
fn a_peer_is_offered_what_nodes_speak_and_nothing_else() -> Story {
    let root = folder()?;
    let a = Daemon::new(root.path(), Settings::dac())?;
    let mut b = Daemon::new(root.path(), Settings::cpts())?;
    pair(&a, &b)?;
    b.stop()?;
    let taken = Taken::of(&b)?;
    let runtime = runtime()?;
    for way in ways(a.address())? {
        let (protocols, heard) = runtime.block_on(list(&taken.keys, way.clone()))?;
        ensure(protocols == SPOKEN, || {
            format!("{way} offers {protocols:?} ({heard:?})")
        })?;
        // Its addresses travel in signed descriptors, and its program's version nowhere.
        let identity = runtime.block_on(ask(&taken.keys, way, SPOKEN[0]))?.bytes;
        let says = |part: &[u8]| identity.windows(part.len()).any(|window| window == part);
        ensure(says(b"/maillon/sync/1"), || {
            String::from("identify says nothing")
        })?;
        let told = [env!("CARGO_PKG_VERSION"), "libp2p", "DAC"];
        let told = told.into_iter().find(|word| says(word.as_bytes()));
        // The port where it listens, as an address has it: after the number of UDP or of TCP.
        let [high, low] = a.address().port().to_be_bytes();
        let listens = says(&[0x91, 0x02, high, low]) || says(&[0x06, high, low]);
        ensure(told.is_none() && !listens, || {
            format!("identify tells {told:?} or addresses")
        })?;
    }
    // Once the peering has ended, the same key is a stranger's.
    let call = maillon_protocol::admin::Call::PeerSuspend {
        peer: b.node()?.to_string(),
    };
    a.client()?.call(call)?;
    for way in ways(a.address())? {
        let (protocols, heard) = runtime.block_on(list(&taken.keys, way))?;
        ensure(
            protocols.is_empty() && heard.bytes.is_empty() && heard.closed,
            || format!("a suspended peer is told {heard:?}"),
        )?;
    }
    Ok(())
}
