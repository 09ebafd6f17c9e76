//! A hostile node: the key of a peer that was stopped, libp2p's own stack, and whatever bytes a test likes.

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::{
    Multiaddr, Stream, StreamProtocol, SwarmBuilder, ping,
    swarm::{NetworkBehaviour, SwarmEvent},
};
use libp2p_stream as streams;
use maillon_protocol::{
    ids::{CircleId, LogId, NodeId},
    limits,
    sync::{CircleState, Message, SentRecord, VERSION},
};
use maillon_tests::daemon::{Trouble, wait};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Duration, timeout},
};

use super::{Taken, peer_id};

const SYNC: StreamProtocol = StreamProtocol::new("/maillon/sync/1");

/// It answers pings, or it would be taken for gone.
#[derive(NetworkBehaviour)]
struct Spoken {
    ping: ping::Behaviour,
    streams: streams::Behaviour,
}

/// One connection with its one stream.
pub(super) struct Impostor {
    stream: Stream,
    swarm: JoinHandle<()>,
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.swarm.abort();
    }
}

/// What a peer learns of a circle by behaving.
pub(super) struct Learnt {
    /// Where the other node stands.
    pub(super) state: CircleState,
    /// Records by log.
    pub(super) records: Vec<(LogId, Vec<SentRecord>)>,
}

impl Learnt {
    /// The records of a node's log.
    pub(super) fn of(&self, node: NodeId) -> Result<(LogId, &[SentRecord]), Trouble> {
        let found = self
            .records
            .iter()
            .find(|(log, records)| log.node == node && !records.is_empty());
        let (log, records) = found.ok_or_else(|| Trouble::wrong("no log of that node"))?;
        Ok((*log, records))
    }

    /// Records as they are pushed.
    pub(super) fn push(&self, circle: CircleId, records: Vec<SentRecord>) -> Message {
        Message::Records {
            circle,
            entry: self.state.entry,
            entry_hash: self.state.entry_hash,
            records,
            wanted: false,
        }
    }
}

impl Impostor {
    /// Connects as the taken node and gets the stream, whoever has to open it.
    pub(super) async fn connect(
        taken: &Taken,
        to: NodeId,
        way: &Multiaddr,
    ) -> Result<Self, Trouble> {
        let wrong = |error: &dyn std::fmt::Display| Trouble::wrong(error.to_string());
        let mut swarm = SwarmBuilder::with_existing_identity(taken.keys.clone())
            .with_tokio()
            .with_tcp(
                Default::default(),
                libp2p::tls::Config::new,
                libp2p::yamux::Config::default,
            )
            .map_err(|error| wrong(&error))?
            .with_quic()
            .with_behaviour(|_| Spoken {
                ping: ping::Behaviour::default(),
                streams: streams::Behaviour::new(),
            })
            .map_err(|error| wrong(&error))?
            .build();
        let mut control = swarm.behaviour().streams.new_control();
        let mut incoming = control.accept(SYNC).map_err(|error| wrong(&error))?;
        swarm.dial(way.clone()).map_err(|error| wrong(&error))?;
        let (say, connected) = oneshot::channel();
        let swarm = tokio::spawn(async move {
            let mut say = Some(say);
            loop {
                if let SwarmEvent::ConnectionEstablished { .. } = swarm.select_next_some().await {
                    say.take().map(|say| say.send(()));
                }
            }
        });
        connected.await.map_err(|error| wrong(&error))?;
        let stream = async {
            // Of two nodes the one with the lower name opens the stream.
            if taken.key.id() < to {
                control
                    .open_stream(peer_id(&to)?, SYNC)
                    .await
                    .map_err(|error| wrong(&error))
            } else {
                let next = incoming.next().await;
                next.map(|(_, stream)| stream)
                    .ok_or_else(|| Trouble::wrong("no stream"))
            }
        };
        let stream = soon(stream).await??;
        Ok(Self { stream, swarm })
    }

    /// Sends bytes as they are; whether they were taken.
    pub(super) async fn raw(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok() && self.stream.flush().await.is_ok()
    }

    /// Sends a frame.
    pub(super) async fn frame(&mut self, bytes: &[u8]) -> bool {
        let length = (bytes.len() as u32).to_be_bytes();
        self.raw(&[&length, bytes].concat()).await
    }

    /// The next message; nothing once the other side has closed.
    pub(super) async fn next(&mut self) -> Result<Option<Message>, Trouble> {
        let mut length = [0; 4];
        let read = async {
            self.stream.read_exact(&mut length).await.ok()?;
            let length = u32::from_be_bytes(length) as usize;
            let mut bytes = vec![0; length.min(limits::FRAME)];
            self.stream.read_exact(&mut bytes).await.ok()?;
            Some(bytes)
        };
        match soon(read).await? {
            None => Ok(None),
            Some(bytes) => Message::decode(&bytes)
                .map(Some)
                .map_err(|error| Trouble::wrong(error.to_string())),
        }
    }

    /// Reads until a message is what is looked for.
    pub(super) async fn until<T>(
        &mut self,
        what: &str,
        mut choose: impl FnMut(Message) -> Option<T>,
    ) -> Result<T, Trouble> {
        while let Some(message) = self.next().await? {
            if let Some(found) = choose(message) {
                return Ok(found);
            }
        }
        Err(Trouble::wrong(format!("closed before {what}")))
    }

    /// Waits until the other side closes.
    pub(super) async fn closed(&mut self) -> Result<(), Trouble> {
        while self.next().await?.is_some() {}
        Ok(())
    }

    /// Says hello as an honest node.
    pub(super) async fn greet(&mut self, taken: &Taken) -> Result<(), Trouble> {
        self.until("its hello", |message| {
            matches!(message, Message::Hello { .. }).then_some(())
        })
        .await?;
        let hello = Message::Hello {
            lowest: VERSION,
            highest: VERSION,
            descriptor: taken.descriptor.clone(),
            marks: Vec::new(),
        };
        self.frame(&hello.encode()).await;
        Ok(())
    }

    /// Agrees on a circle's charter and asks for all its records, as an honest member.
    pub(super) async fn learn(&mut self, circle: CircleId) -> Result<Learnt, Trouble> {
        let state = self
            .until("the circle's state", |message| match message {
                Message::States(states) => states.into_iter().find(|state| state.circle == circle),
                _ => None,
            })
            .await?;
        let mine = CircleState {
            acks: Vec::new(),
            ..state.clone()
        };
        self.frame(&Message::States(vec![mine]).encode()).await;
        let mut records = Vec::new();
        for height in &state.heights {
            let want = Message::Want {
                circle,
                log: height.log,
                after: 0,
                up_to: height.height,
            };
            self.frame(&want.encode()).await;
            let got = self
                .until("the records", |message| match message {
                    Message::Records {
                        records,
                        wanted: true,
                        ..
                    } => Some(records),
                    _ => None,
                })
                .await?;
            records.push((height.log, got));
        }
        Ok(Learnt { state, records })
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> Result<T, Trouble> {
    let bound: Duration = wait::LONG;
    timeout(bound, what)
        .await
        .map_err(|_| Trouble::wrong("the daemon does not answer the impostor"))
}
