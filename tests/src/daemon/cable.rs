//! The wires between real daemons: each node is known to the others by the address of a [`Wire`], never by its own.

use std::{net::SocketAddr, sync::Arc};

use tokio::runtime::Runtime;

use super::{Daemon, Trouble};
use crate::wire::{Cut, Wire, WireError};

/// Which transports lead to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carriers {
    /// QUIC alone.
    Quic,
    /// TCP alone.
    Tcp,
    /// Both.
    Both,
}

/// The way to one node: a wire for each transport, each with its own knobs.
#[derive(Debug)]
pub struct Cable {
    /// Datagrams to the node.
    pub udp: Option<Wire>,
    /// Streams to the node.
    pub tcp: Option<Wire>,
    _runtime: Arc<Runtime>,
}

impl Cable {
    /// Lays wires to a node that is not started yet, and makes it advertise them, and nothing else.
    ///
    /// # Errors
    /// Where a wire cannot be laid.
    pub fn lay(
        to: &mut Daemon,
        carriers: Carriers,
        runtime: &Arc<Runtime>,
    ) -> Result<Self, Trouble> {
        let target = to.address();
        let failed = |error: WireError| Trouble::wrong(format!("a wire: {error}"));
        let udp = (carriers != Carriers::Tcp)
            .then(|| runtime.block_on(Wire::udp(target)))
            .transpose()
            .map_err(failed)?;
        let tcp = (carriers != Carriers::Quic)
            .then(|| runtime.block_on(Wire::tcp(target)))
            .transpose()
            .map_err(failed)?;
        let quic_address =
            |address: SocketAddr| format!("/ip4/127.0.0.1/udp/{}/quic-v1", address.port());
        let tcp_address = |address: SocketAddr| format!("/ip4/127.0.0.1/tcp/{}", address.port());
        let advertise = udp.iter().map(|wire| quic_address(wire.address()));
        let advertise = advertise.chain(tcp.iter().map(|wire| tcp_address(wire.address())));
        to.settings.advertise = advertise.collect();
        to.settings.quic = carriers != Carriers::Tcp;
        to.settings.tcp = carriers != Carriers::Quic;
        Ok(Self {
            udp,
            tcp,
            _runtime: Arc::clone(runtime),
        })
    }

    /// Cuts both transports in both ways. Nobody is told.
    pub fn cut(&self) {
        self.wires().for_each(|wire| wire.cut(Cut::Both));
    }

    /// Lets everything pass again.
    pub fn heal(&self) {
        self.wires().for_each(Wire::heal);
    }

    /// Bytes that passed, both ways and both transports.
    pub fn passed(&self) -> u64 {
        self.wires()
            .map(|wire| {
                let tally = wire.tally();
                tally.there.bytes() + tally.back.bytes()
            })
            .sum()
    }

    /// Its wires.
    pub fn wires(&self) -> impl Iterator<Item = &Wire> {
        self.udp.iter().chain(&self.tcp)
    }
}
