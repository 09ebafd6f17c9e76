//! Where a wire may lead, and the sockets that A dials.

use std::net::SocketAddr;

use tokio::net::{TcpListener, UdpSocket};

use super::{Targets, WireError};

/// How often another port is tried, when the one that TCP got is taken for UDP.
const TRIES: usize = 32;

/// Whether a wire may lead there.
pub(super) fn check(targets: Targets) -> Result<(), WireError> {
    let named = [targets.udp, targets.tcp];
    if let Some(stranger) = named
        .into_iter()
        .flatten()
        .find(|target| !target.ip().is_loopback())
    {
        return Err(WireError::NotLoopback(stranger));
    }
    match named {
        [None, None] => Err(WireError::NoTarget),
        [Some(udp), Some(tcp)] if udp.is_ipv4() != tcp.is_ipv4() => Err(WireError::TwoFamilies),
        _ => Ok(()),
    }
}

/// The sockets that A dials, on one port of the targets' address.
pub(super) async fn open(
    targets: Targets,
) -> Result<(SocketAddr, Option<UdpSocket>, Option<TcpListener>), WireError> {
    let target = targets.udp.or(targets.tcp).ok_or(WireError::NoTarget)?;
    let any = SocketAddr::new(target.ip(), 0);
    if targets.tcp.is_none() {
        let door = UdpSocket::bind(any).await?;
        return Ok((door.local_addr()?, Some(door), None));
    }
    let mut tries = 0;
    loop {
        let streams = TcpListener::bind(any).await?;
        let address = streams.local_addr()?;
        if targets.udp.is_none() {
            return Ok((address, None, Some(streams)));
        }
        match UdpSocket::bind(address).await {
            Ok(datagrams) => return Ok((address, Some(datagrams), Some(streams))),
            Err(taken) if tries >= TRIES => return Err(WireError::Bind(taken)),
            Err(_) => tries += 1,
        }
    }
}
