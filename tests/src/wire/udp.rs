//! The datagrams of a wire: one socket towards B for each client address, one waiting room for each way.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::chance::Chance;
use super::pace::Pace;
use super::shared::Shared;
use super::tape::Carrier;
use super::weather::{Gone, Sky, Way};

/// Client addresses that are remembered; the one that was silent longest makes room.
pub(super) const CLIENTS: usize = 64;
/// Datagrams that wait in each way, for delay or bandwidth; more are lost, as in a router.
pub(super) const WAITING: usize = 1024;
/// Datagrams on their way into the waiting room.
const ENTRANCE: usize = 256;
/// No datagram is larger.
const LARGEST: usize = 65_535;

/// A datagram on its way.
struct Parcel {
    bytes: Vec<u8>,
    flow: u64,
    /// The socket that it leaves by.
    by: Arc<UdpSocket>,
    /// Where to; `None`: to the target of the moment when it leaves.
    to: Option<SocketAddr>,
    arrived: Instant,
    /// How much of the jitter it meets, `0.0..1.0`.
    share: f64,
}

/// The entrance of one way.
struct Entrance {
    way: Way,
    luck: Mutex<Chance>,
    room: mpsc::Sender<Parcel>,
    shared: Arc<Shared>,
}

impl Entrance {
    fn open(way: Way, shared: &Arc<Shared>, tasks: &mut JoinSet<()>) -> Arc<Self> {
        let (room, parcels) = mpsc::channel(ENTRANCE);
        let carrier = Carry {
            way,
            parcels,
            shared: Arc::clone(shared),
            pace: Pace::new(way),
        };
        tasks.spawn(async move {
            // It ends with the wire, and nobody is left to be told.
            let _ = carrier.run().await;
        });
        let luck = Mutex::new(Chance::new(shared.seed, way as u64));
        Arc::new(Self {
            way,
            luck,
            room,
            shared: Arc::clone(shared),
        })
    }

    fn enter(&self, bytes: &[u8], flow: u64, by: &Arc<UdpSocket>, to: Option<SocketAddr>) {
        // Two draws for each datagram whatever the weather, so that the n-th one always meets the same luck.
        let (fate, share) = {
            let mut luck = self.luck.lock().unwrap_or_else(PoisonError::into_inner);
            (luck.unit(), luck.unit())
        };
        let weather = *self.shared.sky.borrow().over(self.way);
        let parcel = Parcel {
            bytes: bytes.to_vec(),
            flow,
            by: Arc::clone(by),
            to,
            arrived: Instant::now(),
            share,
        };
        if weather.cut || fate < weather.loss || self.room.try_send(parcel).is_err() {
            self.shared.lost(self.way);
        }
        self.shared.arrived(self.way);
    }
}

/// The waiting room of one way, and the door out of it.
struct Carry {
    way: Way,
    parcels: mpsc::Receiver<Parcel>,
    shared: Arc<Shared>,
    pace: Pace,
}

impl Carry {
    async fn run(mut self) -> Result<(), Gone> {
        let mut sky = self.shared.sky.subscribe();
        let mut waiting: Vec<Parcel> = Vec::new();
        loop {
            let weather = *sky.borrow_and_update().over(self.way);
            // The first of equals leaves first: without jitter nothing is overtaken.
            let next = waiting
                .iter()
                .enumerate()
                .map(|(place, parcel)| {
                    (
                        parcel.arrived + weather.delay + weather.jitter.mul_f64(parcel.share),
                        place,
                    )
                })
                .min();
            let (due, place) = next.unwrap_or((Instant::now(), 0));
            tokio::select! {
                biased;
                changed = sky.changed() => changed.map_err(|_| Gone)?,
                parcel = self.parcels.recv(), if waiting.len() < WAITING => waiting.push(parcel.ok_or(Gone)?),
                () = tokio::time::sleep_until(due), if next.is_some() => {
                    let parcel = waiting.remove(place);
                    self.leave(parcel, &mut sky).await?;
                }
            }
        }
    }

    async fn leave(&self, parcel: Parcel, sky: &mut watch::Receiver<Sky>) -> Result<(), Gone> {
        self.pace.pass(sky, parcel.bytes.len()).await?;
        let now = *sky.borrow();
        match parcel.to.or(now.udp_target) {
            Some(to) if !now.over(self.way).cut => {
                self.shared
                    .passed(Carrier::Udp, self.way, parcel.flow, &parcel.bytes);
                // A datagram that the system refuses is lost like any other; there is nobody to tell.
                let _ = parcel.by.send_to(&parcel.bytes, to).await;
            }
            _ => self.shared.lost(self.way),
        }
        Ok(())
    }
}

/// One client address and the socket that B knows it by.
struct Client {
    flow: u64,
    socket: Arc<UdpSocket>,
    heard: Instant,
    listener: AbortHandle,
}

/// Forwards what comes to `door` until the wire is dropped.
pub(super) async fn forward(door: UdpSocket, shared: Arc<Shared>) {
    let door = Arc::new(door);
    let mut tasks = JoinSet::new();
    let there = Entrance::open(Way::There, &shared, &mut tasks);
    let back = Entrance::open(Way::Back, &shared, &mut tasks);
    let mut clients: HashMap<SocketAddr, Client> = HashMap::new();
    let mut flows = 0;
    let mut buffer = vec![0; LARGEST];
    loop {
        // An error here belongs to an earlier send (a closed client port), not to the door.
        let Ok((length, from)) = door.recv_from(&mut buffer).await else {
            continue;
        };
        while tasks.try_join_next().is_some() {}
        if !clients.contains_key(&from) {
            if clients.len() >= CLIENTS {
                let silent = clients
                    .iter()
                    .min_by_key(|(_, client)| client.heard)
                    .map(|(address, _)| *address);
                if let Some(client) = silent.and_then(|address| clients.remove(&address)) {
                    client.listener.abort();
                }
            }
            let Ok(socket) = UdpSocket::bind((door_ip(&door), 0)).await else {
                shared.lost(Way::There);
                continue;
            };
            let socket = Arc::new(socket);
            let listener = tasks.spawn(listen(
                Arc::clone(&socket),
                Arc::clone(&door),
                from,
                flows,
                Arc::clone(&back),
            ));
            clients.insert(
                from,
                Client {
                    flow: flows,
                    socket,
                    heard: Instant::now(),
                    listener,
                },
            );
            flows += 1;
        }
        if let Some(client) = clients.get_mut(&from) {
            client.heard = Instant::now();
            there.enter(&buffer[..length], client.flow, &client.socket, None);
        }
    }
}

/// Hands what B answers to one client into the way back.
async fn listen(
    socket: Arc<UdpSocket>,
    door: Arc<UdpSocket>,
    client: SocketAddr,
    flow: u64,
    back: Arc<Entrance>,
) {
    let mut buffer = vec![0; LARGEST];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        // Only the target speaks on a wire.
        if Some(from) == back.shared.sky.borrow().udp_target {
            back.enter(&buffer[..length], flow, &door, Some(client));
        }
    }
}

fn door_ip(door: &UdpSocket) -> std::net::IpAddr {
    door.local_addr()
        .map_or(std::net::Ipv4Addr::LOCALHOST.into(), |address| address.ip())
}
