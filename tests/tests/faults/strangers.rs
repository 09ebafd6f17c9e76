//! Ten thousand at the door who are nobody's peer, a peer that floods, and one that stalls: everybody else's alerts pass, and the node stays small.

use std::{
    io::Write,
    net::{SocketAddr, TcpStream, UdpSocket},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    thread,
    time::Duration,
};

use futures::{StreamExt, future::Either, future::poll_fn, stream};
use libp2p::{
    Multiaddr, Transport,
    core::{
        Endpoint,
        muxing::StreamMuxerBox,
        transport::{DialOpts, PortUse},
        upgrade::Version,
    },
    identity::Keypair,
    quic, tcp, tls, yamux,
};
use maillon_protocol::{admin::WatchEvent, ids::RecordId};
use maillon_tests::daemon::{
    Acknowledged, Daemon, Settings, Shared, Trouble, Two, Watch, Writers, invite, pair,
    professional, same_digests, wait, write_notes,
};
use tokio::runtime::Runtime;

use crate::{Story, ensure, folder};

/// Connections over TCP: most say nothing, some say what is no handshake.
const CALLERS: usize = 8_000;
/// Held open at one time; more than a node lets knock at once.
const AT_ONCE: usize = 400;
/// Datagrams that look like the beginning of a QUIC connection.
const DATAGRAMS: usize = 1_500;
/// Whole handshakes by keys that nobody knows, half over each transport.
const HANDSHAKES: usize = 500;
/// An alert between two real nodes meanwhile.
const UNDISTURBED: Duration = Duration::from_secs(10);
/// What the crowd may leave in the memory of a node, KiB. Its buffers and its allocator keep some of what the worst moment took.
const GROWTH_KIB: u64 = 48 * 1024;

fn arrives(watch: &mut Watch, wanted: RecordId) -> Story {
    let is_it = |event: &WatchEvent| matches!(event, WatchEvent::Recorded { record, .. } if *record == wanted);
    watch.until("the alert", UNDISTURBED, is_it).map(drop)
}

/// Callers in crowds; each crowd is held until it is complete, and then leaves at once.
fn callers(to: SocketAddr) -> Story {
    let mut crowd = Vec::with_capacity(AT_ONCE);
    for number in 0..CALLERS {
        let mut caller = TcpStream::connect(to).map_err(Trouble::io("a caller"))?;
        if number % 4 == 0 {
            // The other side may have left already.
            let _ = caller.write_all(b"GET / HTTP/1.1\r\nHost: annuaire.example\r\n\r\n");
        }
        crowd.push(caller);
        if crowd.len() == AT_ONCE {
            crowd.clear();
        }
    }
    Ok(())
}

/// Datagrams with the form of an Initial packet of QUIC version 1, and nothing true behind it.
fn datagrams(to: SocketAddr) -> Story {
    for number in 0..DATAGRAMS {
        let socket = UdpSocket::bind("127.0.0.1:0").map_err(Trouble::io("a socket"))?;
        let mut datagram = vec![number as u8; 1200];
        datagram[..6].copy_from_slice(&[0xc3, 0, 0, 0, 1, 8]);
        socket
            .send_to(&datagram, to)
            .map_err(Trouble::io("a datagram"))?;
    }
    Ok(())
}

/// One whole handshake under a new key; whether a connection stood for a moment.
async fn handshake(to: Multiaddr) -> bool {
    let keys = Keypair::generate_ed25519();
    let Ok(tls) = tls::Config::new(&keys) else {
        return false;
    };
    let quic = quic::tokio::Transport::new(quic::Config::new(&keys));
    let tcp = tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1)
        .authenticate(tls)
        .multiplex(yamux::Config::default());
    let both = quic.or_transport(tcp).map(|either, _| match either {
        Either::Left((_, muxer)) => StreamMuxerBox::new(muxer),
        Either::Right((_, muxer)) => StreamMuxerBox::new(muxer),
    });
    let mut both = both.boxed();
    let options = DialOpts {
        role: Endpoint::Dialer,
        port_use: PortUse::New,
    };
    let Ok(dial) = both.dial(to, options) else {
        return false;
    };
    // The transport works only while it is polled, QUIC's endpoint too.
    let working = async {
        loop {
            poll_fn(|cx| std::pin::Pin::new(&mut both).poll(cx)).await;
        }
    };
    tokio::select! {
        dialled = dial => dialled.is_ok(),
        () = working => false,
        () = tokio::time::sleep(wait::LONG) => false,
    }
}

/// Handshakes by strangers, some at a time; how many were heard to their end.
fn handshakes(to: SocketAddr) -> Result<usize, Trouble> {
    let (ip, port) = (to.ip(), to.port());
    let ways = [
        format!("/ip4/{ip}/udp/{port}/quic-v1"),
        format!("/ip4/{ip}/tcp/{port}"),
    ];
    let mut parsed = Vec::new();
    for way in &ways {
        parsed.push(
            way.parse::<Multiaddr>()
                .map_err(|_| Trouble::wrong(way.clone()))?,
        );
    }
    let all = parsed.into_iter().cycle().take(HANDSHAKES);
    let runtime = Runtime::new().map_err(Trouble::io("a runtime"))?;
    Ok(runtime.block_on(async {
        let heard = stream::iter(all).map(handshake).buffer_unordered(16);
        heard
            .filter(|heard| std::future::ready(*heard))
            .count()
            .await
    }))
}

#[test]
fn ten_thousand_strangers_hold_up_no_alert_and_leave_a_node_as_small_as_it_was() -> Story {
    let root = folder()?;
    let Shared { two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let (memory, files) = (two.a.memory_kib()?, two.a.descriptors()?);
    let (to, over, heard) = (two.a.address(), AtomicBool::new(false), AtomicUsize::new(0));
    let mut most = (memory, files);
    thread::scope(|scope| {
        let crowd = scope.spawn(|| {
            let came = callers(to)
                .and_then(|()| datagrams(to))
                .and_then(|()| handshakes(to));
            over.store(true, Relaxed);
            came.map(|count| heard.store(count, Relaxed))
        });
        let (mut at_a, mut at_b) = (two.a.watch()?, two.b.watch()?);
        let mut a = two.a.client()?.acting_as(&two.at_a);
        let mut b = two.b.client()?.acting_as(&two.at_b);
        while !over.load(Relaxed) {
            let there = a.alert_send(circle, "Au milieu de la foule.")?.record;
            let back = b.alert_send(circle, "Je vous entends.")?.record;
            arrives(&mut at_b, there)?;
            arrives(&mut at_a, back)?;
            most.0 = most.0.max(two.a.memory_kib()?);
            most.1 = most.1.max(two.a.descriptors()?);
        }
        crowd
            .join()
            .unwrap_or_else(|_| Err(Trouble::wrong("the crowd panicked")))
    })?;
    ensure(heard.load(Relaxed) > HANDSHAKES / 2, || {
        format!("{heard:?} handshakes were heard, so little was shown")
    })?;
    println!(
        "KiB and descriptors: {:?}, at most {most:?}",
        (memory, files)
    );
    wait::until_seen("its descriptors are what they were", wait::LONG, || {
        let now = two.a.descriptors()?;
        Ok(((now <= files + 8).then_some(()), (files, now)))
    })?;
    let grown = most.0.saturating_sub(memory);
    ensure(grown < GROWTH_KIB, || {
        format!("it grew by {grown} KiB, from {memory}")
    })?;
    same_digests(&two.a, &two.b, circle).map(drop)
}

/// A and B of one circle, and C, another member; C's professional.
fn three(root: &tempfile::TempDir) -> Result<(Shared, Daemon, String), Trouble> {
    let shared = Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let c = Daemon::new(root.path(), Settings::hospital())?;
    let at_c = professional(&c, "Maëlle Kerouédan", "10999001034", "10")?;
    pair(&shared.two.a, &c)?;
    let mut host = shared.two.a.client()?.acting_as(&shared.two.at_a);
    let mut guest = c.client()?.acting_as(&at_c);
    invite(&mut host, &mut guest, c.node()?, shared.circle)?;
    same_digests(&shared.two.a, &c, shared.circle)?;
    Ok((shared, c, at_c))
}

/// How many alerts are sent while a peer misbehaves.
const ALERTS: usize = 8;

#[test]
fn a_peer_that_floods_a_circle_holds_up_no_alert_of_the_others() -> Story {
    let root = folder()?;
    let (Shared { two, circle }, c, _) = three(&root)?;
    let memory = two.a.memory_kib()?;
    let told = Acknowledged::default();
    let flood = Writers::begin(&two.b.caller().acting_as(&two.at_b), &[circle], 32, &told)?;
    let mut at_c = c.watch()?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    for _ in 0..ALERTS {
        let before = told.count();
        let alert = a.alert_send(circle, "Au milieu du flot.")?.record;
        arrives(&mut at_c, alert)?;
        // The flood goes on between two alerts.
        wait::until("more of the flood", wait::LONG, || {
            Ok((told.count() > before + 100).then_some(()))
        })?;
    }
    flood.end()?;
    same_digests(&two.a, &two.b, circle)?;
    same_digests(&two.a, &c, circle)?;
    let grown = two.a.memory_kib()?.saturating_sub(memory);
    ensure(grown < GROWTH_KIB, || format!("A grew by {grown} KiB"))
}

#[test]
fn a_peer_that_stalls_holds_up_no_alert_of_the_others_and_catches_up() -> Story {
    let root = folder()?;
    let (Shared { two, circle }, c, _) = three(&root)?;
    let memory = two.a.memory_kib()?;
    // Its process stands still: connections are held by the system, and nobody reads or answers.
    two.b.freeze()?;
    let mut at_c = c.watch()?;
    let caller = two.a.caller().acting_as(&two.at_a);
    let mut a = caller.connect()?;
    for _ in 0..ALERTS {
        write_notes(&caller, &[circle], 16, 400)?;
        let alert = a.alert_send(circle, "Au milieu du silence.")?.record;
        arrives(&mut at_c, alert)?;
    }
    let node = two.b.node()?;
    wait::until_seen("A gives up the link", wait::LONG, || {
        let line = a.peer_show(node)?.line;
        Ok(((!line.connected).then_some(()), line))
    })?;
    let grown = two.a.memory_kib()?.saturating_sub(memory);
    ensure(grown < GROWTH_KIB, || format!("A grew by {grown} KiB"))?;
    two.b.thaw()?;
    same_digests(&two.a, &two.b, circle)?;
    same_digests(&two.a, &c, circle).map(drop)
}
