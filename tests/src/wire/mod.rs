//! A bad network between real processes: partitions, delays, losses, and a recording of what passed.
//!
//! A [`Wire`] listens on a loopback port, for UDP, for TCP, or for both on the same number, and forwards to a loopback
//! target. A process that should meet a bad network is told the wire's address instead of its peer's; everything else
//! about it is as in production. Whoever dials the wire is called A, the target behind it B; the [`Way`] from A to B is
//! [`There`](Way::There), the other [`Back`](Way::Back).
//!
//! ```
//! use maillon_tests::wire::{Cut, Wire};
//! # async fn example(b: std::net::SocketAddr) -> Result<(), maillon_tests::wire::WireError> {
//! let wire = Wire::both(b).await?;
//! // … A dials wire.address() …
//! wire.until(|tally| tally.back.bytes() > 0).await; // B answered
//! wire.cut(Cut::Both); // neither is told
//! wire.heal();
//! # Ok(())
//! # }
//! ```
//!
//! # Promises
//!
//! - Knobs work at once and on what is already under way: [`Wire::heal`] lets go what a delay or a slow road held.
//! - A cut is a black hole: no reset, no end of stream, no ICMP. A death during a cut is seen after it. Connections
//!   that were open before a cut are still open after it, and carry on where they stopped.
//! - Chance comes from the seed: the n-th datagram of a way meets the same luck in every run, whatever its content;
//!   likewise the n-th chunk of a connection.
//! - Everything is bounded: 64 UDP clients, 256 TCP connections, 1,024 datagrams and 64 chunks of 16 KiB waiting in
//!   each way, the tape as large as the test says. A dropped wire stops at once.
//!
//! # What it does not do
//!
//! - It cannot delay or lose the TCP handshake between A and the wire, which the system does before we hear of it; a
//!   connection made during a cut is held, and B learns of it when the wire heals.
//! - It counts payload, not headers, and does not know packets inside TCP: a lost chunk is late, or resets.
//! - It leaves loopback neither way.

mod chance;
mod doors;
mod fields;
mod hello;
mod initial;
mod pace;
mod shared;
mod tally;
mod tape;
mod tcp;
mod udp;
mod weather;

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

pub use hello::{ClientHello, X25519, X25519_MLKEM768};
pub use tally::{Tally, Traffic};
pub use tape::{Carrier, Passed, Tape};
pub use weather::{Cut, Mishap, Way, Weather};

/// Why a wire could not be laid.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The target is another machine; a wire only joins processes of this one.
    #[error("{0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// A wire for both transports has one address, so its targets must be of one family.
    #[error("the targets are of two address families")]
    TwoFamilies,
    /// Neither a UDP nor a TCP target was named.
    #[error("a wire without a target")]
    NoTarget,
    /// No port could be had, or not the same one for both transports.
    #[error("no loopback port for the wire")]
    Bind(#[from] std::io::Error),
}

/// Where a wire leads, for each transport; `None`: the wire does not listen on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// Where datagrams go.
    pub udp: Option<SocketAddr>,
    /// Where streams go.
    pub tcp: Option<SocketAddr>,
}

/// A forwarder with knobs; see the [module's page](self). Stops when dropped.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    shared: Arc<shared::Shared>,
    _tasks: JoinSet<()>,
}

impl Wire {
    /// A wire for datagrams (QUIC), seed 1.
    pub async fn udp(target: SocketAddr) -> Result<Self, WireError> {
        Self::lay(
            Targets {
                udp: Some(target),
                tcp: None,
            },
            1,
        )
        .await
    }

    /// A wire for streams, seed 1.
    pub async fn tcp(target: SocketAddr) -> Result<Self, WireError> {
        Self::lay(
            Targets {
                udp: None,
                tcp: Some(target),
            },
            1,
        )
        .await
    }

    /// A wire for both, on one port number, to a target with one port number, seed 1.
    pub async fn both(target: SocketAddr) -> Result<Self, WireError> {
        Self::lay(
            Targets {
                udp: Some(target),
                tcp: Some(target),
            },
            1,
        )
        .await
    }

    /// A wire for what `targets` names, whose chance comes from `seed`.
    pub async fn lay(targets: Targets, seed: u64) -> Result<Self, WireError> {
        doors::check(targets)?;
        let sky = weather::Sky {
            there: Weather::default(),
            back: Weather::default(),
            udp_target: targets.udp,
            tcp_target: targets.tcp,
            resets: 0,
            refuse: false,
        };
        let shared = Arc::new(shared::Shared::new(seed, sky));
        let (address, datagrams, streams) = doors::open(targets).await?;
        let mut tasks = JoinSet::new();
        if let Some(door) = datagrams {
            tasks.spawn(udp::forward(door, Arc::clone(&shared)));
        }
        if let Some(door) = streams {
            tasks.spawn(tcp::forward(door, Arc::clone(&shared)));
        }
        Ok(Self {
            address,
            shared,
            _tasks: tasks,
        })
    }

    /// Where A dials.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads to another target from now on: B was restarted on another port. Open TCP connections keep theirs.
    pub fn lead_to(&self, targets: Targets) -> Result<(), WireError> {
        doors::check(targets)?;
        self.shared.sky.send_modify(|sky| {
            sky.udp_target = targets.udp;
            sky.tcp_target = targets.tcp;
        });
        Ok(())
    }

    /// The present condition of one way.
    pub fn weather(&self, way: Way) -> Weather {
        *self.shared.sky.borrow().over(way)
    }

    /// Changes the condition of one way. A `loss` outside `0.0..=1.0` acts as the nearer end.
    pub fn change(&self, way: Way, change: impl FnOnce(&mut Weather)) {
        self.shared.sky.send_modify(|sky| change(sky.over_mut(way)));
    }

    fn change_both(&self, change: impl Fn(&mut Weather)) {
        self.shared.sky.send_modify(|sky| {
            Way::BOTH
                .into_iter()
                .for_each(|way| change(sky.over_mut(way)))
        });
    }

    /// Holds everything for `delay`, and up to `jitter` more, in each way (so a round trip pays twice).
    pub fn delay(&self, delay: Duration, jitter: Duration) {
        self.change_both(|weather| {
            weather.delay = delay;
            weather.jitter = jitter;
        });
    }

    /// Loses with this probability in each way; what that means for a stream is [`Weather::mishap`].
    pub fn lose(&self, probability: f64) {
        self.change_both(|weather| weather.loss = probability);
    }

    /// Lets so many bytes pass in a second, in each way and for each transport; `None`: as many as come.
    pub fn limit(&self, bytes_per_second: Option<NonZeroU64>) {
        self.change_both(|weather| weather.bytes_per_second = bytes_per_second);
    }

    /// Cuts these ways, and only these: what was cut otherwise is open again. Nobody is told.
    pub fn cut(&self, cut: Cut) {
        self.shared.sky.send_modify(|sky| {
            sky.there.cut = cut != Cut::Back;
            sky.back.cut = cut != Cut::There;
        });
    }

    /// Resets every open TCP connection on both sides, held ones included. New ones are welcome.
    pub fn reset(&self) {
        self.shared.sky.send_modify(|sky| sky.resets += 1);
    }

    /// The loud partition: open TCP connections are reset, new ones are reset at once, datagrams vanish.
    pub fn sever(&self) {
        self.shared.sky.send_modify(|sky| {
            sky.resets += 1;
            sky.refuse = true;
            sky.there.cut = true;
            sky.back.cut = true;
        });
    }

    /// Fair weather in both ways, at once, for what waits too.
    pub fn heal(&self) {
        self.shared.sky.send_modify(|sky| {
            sky.refuse = false;
            sky.there = Weather::default();
            sky.back = Weather::default();
        });
    }

    /// What passed so far.
    pub fn tally(&self) -> Tally {
        *self.shared.tally.borrow()
    }

    /// Waits until what passed satisfies the condition, and returns it. Waits for ever if it never does: a test bounds
    /// it with its own deadline.
    pub async fn until(&self, condition: impl Fn(&Tally) -> bool) -> Tally {
        let mut tally = self.shared.tally.subscribe();
        match tally.wait_for(|tally| condition(tally)).await {
            Ok(tally) => *tally,
            // The sender lives as long as this handle.
            Err(_) => self.tally(),
        }
    }

    /// Records what passes from now on, the newest `bytes` of it; 0 stops. An earlier recording is dropped.
    pub fn record(&self, bytes: usize) {
        *self
            .shared
            .tape
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Tape::new(bytes);
    }

    /// A copy of the recording as it is now.
    pub fn tape(&self) -> Tape {
        self.shared
            .tape
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
