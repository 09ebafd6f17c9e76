//! What a bare libp2p client is offered by a whole daemon: a stranger one protocol without answers, a peer four.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use libp2p::identity::Keypair;
use maillon_node::ledger::StoreRows;
use maillon_protocol::{
    admin::Status,
    cbor::Bytes,
    limits,
    replica::{Row, Rows},
    sync::Presentation,
};
use maillon_tests::daemon::{Daemon, Settings, Shared, Trouble, Two, pair, wait};

use super::{
    Taken,
    bare::{ask, is_no, is_silence, list, tell},
    opened, runtime, ways,
};
use crate::{Story, ensure, folder};

/// Everything that a node speaks with those whom it knows.
const SPOKEN: [&str; 4] = [
    "/ipfs/id/1.0.0",
    "/ipfs/id/push/1.0.0",
    "/ipfs/ping/1.0.0",
    "/maillon/sync/1",
];

/// What a stranger may say, without an answer.
const PRESENT: &str = "/maillon/present/1";

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
fn a_stranger_may_present_itself_over_quic_or_tcp_and_nothing_else_and_is_counted() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let before = lasting(daemon.client()?.status()?);
    let runtime = runtime()?;
    let mut refused = 0;
    for way in ways(daemon.address())? {
        let stranger = Keypair::generate_ed25519();
        let (protocols, heard) = runtime.block_on(list(&stranger, way.clone()))?;
        ensure(protocols == [PRESENT] && heard.streams == 0, || {
            format!("{way} told a stranger {heard:?}")
        })?;
        for protocol in SPOKEN.into_iter().chain(["/maillon/pairing/1"]) {
            let heard = runtime.block_on(ask(&stranger, way.clone(), protocol))?;
            ensure(is_no(&heard.bytes) && heard.streams == 0, || {
                format!("{way} {protocol}: {heard:?}")
            })?;
        }
        refused += 6;
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
fn whatever_a_stranger_says_at_the_door_it_hears_nothing_and_is_shown_out() -> Story {
    let root = folder()?;
    let Shared { two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let daemon = &two.a;
    let before = lasting(daemon.client()?.status()?);
    let mut a = daemon.client()?.acting_as(&two.at_a);
    let head = a.circle_show(circle)?.line.entry;
    // The charter itself, as only a member has it: it lists its members, and not who says it.
    let mut stopped = two.b;
    stopped.stop()?;
    let (_, store) = opened(&stopped)?;
    let rows = StoreRows(store);
    let mut entries = Vec::new();
    while let Some(entry) = rows
        .get(&Row::Entry(circle, entries.len() as u64 + 1))
        .map_err(|error| Trouble::wrong(error.to_string()))?
    {
        entries.push(Bytes(entry));
    }
    ensure(entries.len() as u64 == head, || {
        format!("{} entries", entries.len())
    })?;
    let charter = Presentation {
        entries,
        seals: Vec::new(),
    };
    let framed = |content: &[u8]| {
        let length = (content.len() as u32).to_be_bytes();
        [&length[..], content].concat()
    };
    let said = [
        framed(&charter.encode()),
        framed(b"bonjour"),
        framed(&[]),
        // More than may be said, and less than was announced.
        (limits::PRESENTATION as u32 + 1).to_be_bytes().to_vec(),
        vec![0, 0, 1, 0, 0x82],
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        Vec::new(),
    ];
    let runtime = runtime()?;
    for way in ways(daemon.address())? {
        for (number, words) in said.iter().enumerate() {
            let stranger = Keypair::generate_ed25519();
            let heard = runtime.block_on(tell(&stranger, way.clone(), PRESENT, words))?;
            ensure(
                is_silence(&heard.bytes, PRESENT) && heard.streams == 0,
                || format!("{way}, number {number}: {heard:?}"),
            )?;
        }
    }
    ensure(lasting(daemon.client()?.status()?) == before, || {
        String::from("a stranger changed something")
    })?;
    let after = a.circle_show(circle)?;
    ensure(after.line.entry == head && after.members.len() == 2, || {
        format!("{:?}", after.members)
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
        ensure(protocols == [PRESENT] && heard.streams == 0, || {
            format!("a suspended peer is told {heard:?}")
        })?;
    }
    Ok(())
}
