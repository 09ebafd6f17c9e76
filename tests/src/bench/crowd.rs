//! Many writers on one thread: sixty-four threads would measure how the system wakes threads, on the cores that the daemon needs.

use std::{
    io,
    path::Path,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use maillon_protocol::{
    admin::{Answer, Call, Outcome, Reply, Request},
    content::NoteKind,
    ids::CircleId,
    limits,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    task::JoinSet,
};

use crate::daemon::Trouble;

/// Notes a second by so many writers, each on a connection of its own and each waiting for its answer before it writes the next.
pub(super) fn rate(
    socket: &Path,
    who: &str,
    circles: &[CircleId],
    writers: usize,
    time: Duration,
) -> Result<f64, Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Trouble::io("a runtime"))?;
    runtime.block_on(async {
        let begun = Instant::now();
        let written = std::sync::Arc::new(AtomicU64::new(0));
        let mut all = JoinSet::new();
        for number in 0..writers {
            let stream = UnixStream::connect(socket)
                .await
                .map_err(Trouble::io("the admin socket"))?;
            let (who, written) = (who.to_owned(), std::sync::Arc::clone(&written));
            let mut turn = circles.to_vec();
            turn.rotate_left(number % circles.len());
            all.spawn(async move { write(stream, who, &turn, begun + time, &written).await });
        }
        while let Some(ended) = all.join_next().await {
            ended.map_err(|_| Trouble::wrong("a writer panicked"))??;
        }
        Ok(written.load(Relaxed) as f64 / begun.elapsed().as_secs_f64())
    })
}

async fn write(
    stream: UnixStream,
    who: String,
    circles: &[CircleId],
    until: Instant,
    written: &AtomicU64,
) -> Result<(), Trouble> {
    let lost = |error: io::Error| Trouble::io("the admin socket")(error);
    let mut stream = BufReader::new(stream);
    // The greeting.
    read(&mut stream).await.map_err(lost)?;
    for (id, circle) in (1..).zip(circles.iter().cycle()) {
        if Instant::now() >= until {
            break;
        }
        let request = Request {
            id,
            actor: Some(who.clone()),
            call: Call::NoteAdd {
                circle: circle.to_string(),
                note: NoteKind::Observation,
                text: format!("Tension stable, a bien mangé, visite {id}."),
                emergency: false,
            },
        };
        let json = serde_json::to_vec(&request)
            .map_err(|error| Trouble::Protocol(format!("a request: {error}")))?;
        let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
        let frame = [&length.to_be_bytes(), json.as_slice()].concat();
        stream.get_mut().write_all(&frame).await.map_err(lost)?;
        let reply = read(&mut stream).await.map_err(lost)?;
        let reply: Reply =
            serde_json::from_slice(&reply).map_err(|error| Trouble::Protocol(error.to_string()))?;
        match reply.outcome {
            Outcome::Done(Answer::Written(_)) if reply.id == id => {
                written.fetch_add(1, Relaxed);
            }
            Outcome::Failed(error) => return Err(Trouble::Refused(error)),
            _ => {
                return Err(Trouble::Protocol(String::from(
                    "no answer to what was asked",
                )));
            }
        }
    }
    Ok(())
}

async fn read(stream: &mut BufReader<UnixStream>) -> io::Result<Vec<u8>> {
    let length = stream.read_u32().await? as usize;
    if length > limits::FRAME {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}
