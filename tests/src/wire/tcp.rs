//! The streams of a wire: two pumps for each connection, each a reader, a bounded queue and a writer.
//!
//! An end of stream and a reset travel like bytes: through the queue, after their delay, and not while the way is cut.
//! So a process that dies during a partition is missed on the other side only when the partition heals, as in life.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::chance::Chance;
use super::pace::{PIECE, Pace};
use super::shared::Shared;
use super::tape::Carrier;
use super::weather::{Gone, Mishap, Sky, Way, wait};

/// Connections that are open at once; more are reset.
pub(super) const CONNECTIONS: usize = 256;
/// Chunks of up to 16 KiB that wait in each way of each connection; then its sender is held.
const WAITING: usize = 64;

/// A chunk of a stream on its way.
struct Chunk {
    what: What,
    arrived: Instant,
    /// What the loss is compared with, and how much of the jitter it meets; both `0.0..1.0`.
    fate: f64,
    share: f64,
}

enum What {
    Bytes(Vec<u8>),
    /// The sender has no more to say.
    End,
    /// The sender's connection broke.
    Broken,
}

/// How a pump ended.
enum Outcome {
    /// An orderly end of this way.
    Done,
    /// The connection is to be reset on both sides.
    Reset,
}

/// Accepts on `door` until the wire is dropped.
pub(super) async fn forward(door: TcpListener, shared: Arc<Shared>) {
    let paces = Arc::new([Pace::new(Way::There), Pace::new(Way::Back)]);
    let mut connections = JoinSet::new();
    let mut flows = 0;
    loop {
        let accepted = door.accept().await;
        while connections.try_join_next().is_some() {}
        // A client that gave up before it was accepted; a machine without descriptors is given time to breathe.
        let Ok((client, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let _ = client.set_nodelay(true);
        if shared.sky.borrow().refuse || connections.len() >= CONNECTIONS {
            reset(client, &shared);
            continue;
        }
        shared.tally.send_modify(|tally| {
            tally.connections += 1;
            tally.open += 1;
        });
        let connection = Connection {
            flow: flows,
            shared: Arc::clone(&shared),
            paces: Arc::clone(&paces),
        };
        flows += 1;
        connections.spawn(connection.run(client));
    }
}

/// Closes with a reset, and not with an end of stream.
fn reset(stream: TcpStream, shared: &Shared) {
    // If the option is refused the close is an orderly one: the best that is left.
    let _ = stream.set_zero_linger();
    drop(stream);
    shared.tally.send_modify(|tally| tally.resets += 1);
}

struct Connection {
    flow: u64,
    shared: Arc<Shared>,
    paces: Arc<[Pace; 2]>,
}

impl Connection {
    async fn run(self, client: TcpStream) {
        // The wire was dropped: there is nobody left to be told.
        let _ = self.carry(client).await;
        self.shared.tally.send_modify(|tally| tally.open -= 1);
    }

    async fn carry(&self, mut client: TcpStream) -> Result<(), Gone> {
        let mut sky = self.shared.sky.subscribe();
        let born = sky.borrow().resets;
        // Nothing gets through to B, not even the wish to speak, before both ways are open.
        wait(&mut sky, |sky| {
            (sky.resets != born || !(sky.there.cut || sky.back.cut)).then(Instant::now)
        })
        .await?;
        let now = *sky.borrow();
        let target = now.tcp_target.filter(|_| now.resets == born);
        let upstream = match target {
            Some(target) => TcpStream::connect(target).await.ok(),
            None => None,
        };
        let Some(mut upstream) = upstream else {
            // That B took nobody in is news from B, and does not pass a cut either.
            wait(&mut sky, |sky| {
                (sky.resets != born || !sky.back.cut).then(Instant::now)
            })
            .await?;
            reset(client, &self.shared);
            return Ok(());
        };
        let _ = upstream.set_nodelay(true);

        let outcome = {
            let (from_a, to_a) = client.split();
            let (from_b, to_b) = upstream.split();
            let both = async {
                tokio::try_join!(
                    self.pump(Way::There, from_a, to_b),
                    self.pump(Way::Back, from_b, to_a)
                )
            };
            tokio::select! {
                ended = both => match ended {
                    Ok(_) => Outcome::Done,
                    Err(outcome) => outcome,
                },
                asked = wait(&mut sky, |sky| (sky.resets != born).then(Instant::now)) => {
                    asked?;
                    Outcome::Reset
                }
            }
        };
        if matches!(outcome, Outcome::Reset) {
            let _ = upstream.set_zero_linger();
            drop(upstream);
            reset(client, &self.shared);
        }
        Ok(())
    }

    /// Carries one way to its end. `Err` ends the other way too.
    async fn pump(&self, way: Way, from: ReadHalf<'_>, to: WriteHalf<'_>) -> Result<(), Outcome> {
        let stream = 2 + self.flow * 2 + way as u64;
        let luck = Chance::new(self.shared.seed, stream);
        let (queue, chunks) = mpsc::channel(WAITING);
        let write = async {
            match self.write(way, chunks, to).await {
                Ok(outcome) => outcome,
                Err(Gone) => Outcome::Done,
            }
        };
        // The end is the writer's: the reader's last word is still in the queue, and a writer whose side is gone needs
        // no reader.
        let read = async {
            read(from, queue, luck).await;
            std::future::pending::<Outcome>().await
        };
        let outcome = tokio::select! {
            outcome = write => outcome,
            outcome = read => outcome,
        };
        match outcome {
            Outcome::Done => Ok(()),
            Outcome::Reset => Err(Outcome::Reset),
        }
    }

    async fn write(
        &self,
        way: Way,
        mut chunks: mpsc::Receiver<Chunk>,
        mut to: WriteHalf<'_>,
    ) -> Result<Outcome, Gone> {
        let mut sky = self.shared.sky.subscribe();
        let pace = &self.paces[way as usize];
        while let Some(chunk) = chunks.recv().await {
            let met = |sky: &Sky| (chunk.fate < sky.over(way).loss).then_some(sky.over(way).mishap);
            wait(&mut sky, |sky| {
                let weather = sky.over(way);
                let stall = match met(sky) {
                    Some(Mishap::Stall(stall)) => stall,
                    _ => Duration::ZERO,
                };
                let due =
                    chunk.arrived + weather.delay + weather.jitter.mul_f64(chunk.share) + stall;
                (!weather.cut).then_some(due)
            })
            .await?;
            if met(&sky.borrow()) == Some(Mishap::Reset) {
                return Ok(Outcome::Reset);
            }
            let bytes = match chunk.what {
                What::Bytes(bytes) => bytes,
                What::Broken => return Ok(Outcome::Reset),
                What::End => {
                    // If the other side has gone, it says so itself on its own way.
                    let _ = to.shutdown().await;
                    return Ok(Outcome::Done);
                }
            };
            if !self
                .write_pieces(way, &bytes, &mut to, pace, &mut sky)
                .await?
            {
                return Ok(Outcome::Done);
            }
        }
        Ok(Outcome::Done)
    }

    /// Writes at the pace of the wire; a cut holds what has not left. False: the other side takes nothing more.
    async fn write_pieces(
        &self,
        way: Way,
        bytes: &[u8],
        to: &mut WriteHalf<'_>,
        pace: &Pace,
        sky: &mut watch::Receiver<Sky>,
    ) -> Result<bool, Gone> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(pace.piece(sky).min(rest.len()));
            pace.pass(sky, piece.len()).await?;
            wait(sky, |sky| (!sky.over(way).cut).then(Instant::now)).await?;
            self.shared.passed(Carrier::Tcp, way, self.flow, piece);
            if to.write_all(piece).await.is_err() {
                return Ok(false);
            }
            rest = later;
        }
        Ok(true)
    }
}

/// Reads into the queue until the stream ends, breaks, or nobody writes any more.
async fn read(mut from: ReadHalf<'_>, queue: mpsc::Sender<Chunk>, mut luck: Chance) {
    let mut buffer = vec![0; PIECE];
    loop {
        let what = match from.read(&mut buffer).await {
            Ok(0) => What::End,
            Ok(length) => What::Bytes(buffer[..length].to_vec()),
            Err(_) => What::Broken,
        };
        let last = !matches!(what, What::Bytes(_));
        let (fate, share) = (luck.unit(), luck.unit());
        let chunk = Chunk {
            what,
            arrived: Instant::now(),
            fate,
            share,
        };
        if queue.send(chunk).await.is_err() || last {
            return;
        }
    }
}
