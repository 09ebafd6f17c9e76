//! A connection of libp2p's transports and nothing above: a stream, and bytes on it.

use std::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{AsyncReadExt, AsyncWriteExt, future::Either};
use libp2p::{
    Multiaddr, PeerId, Transport,
    core::{
        Endpoint,
        muxing::{StreamMuxerBox, StreamMuxerExt, SubstreamBox},
        transport::{Boxed, DialOpts, PortUse},
        upgrade::Version,
    },
    identity::Keypair,
    quic, tcp, tls, yamux,
};
use maillon_tests::daemon::{Trouble, wait};

/// The first words of every stream: multistream-select's name.
const MULTISTREAM: &str = "/multistream/1.0.0";
/// Asks which protocols there are.
const LIST: &str = "ls";
/// After this long without another byte, an answer is over.
const QUIET: Duration = Duration::from_millis(500);

fn transport(keys: &Keypair) -> Result<Boxed<(PeerId, StreamMuxerBox)>, Trouble> {
    let wrong = |error: tls::certificate::GenError| Trouble::wrong(error.to_string());
    let quic = quic::tokio::Transport::new(quic::Config::new(keys));
    let tcp = tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1)
        .authenticate(tls::Config::new(keys).map_err(wrong)?)
        .multiplex(yamux::Config::default());
    let both = quic.or_transport(tcp).map(|either, _| match either {
        Either::Left((peer, muxer)) => (peer, StreamMuxerBox::new(muxer)),
        Either::Right((peer, muxer)) => (peer, StreamMuxerBox::new(muxer)),
    });
    Ok(both.boxed())
}

/// What came back.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Every byte on our stream.
    pub(super) bytes: Vec<u8>,
    /// Streams that the other side opened.
    pub(super) streams: usize,
    /// Whether the other side ended the connection.
    pub(super) closed: bool,
}

/// A word as multistream-select writes it.
fn word(text: &str) -> Vec<u8> {
    let mut bytes = vec![(text.len() + 1) as u8];
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(b'\n');
    bytes
}

/// Connects, opens a stream, says these words and then these bytes, and listens until nothing more comes.
async fn say(
    keys: &Keypair,
    way: Multiaddr,
    words: &[&str],
    then: &[u8],
) -> Result<Heard, Trouble> {
    let mut transport = transport(keys)?;
    let options = DialOpts {
        role: Endpoint::Dialer,
        port_use: PortUse::New,
    };
    let dial = transport
        .dial(way, options)
        .map_err(|error| Trouble::wrong(error.to_string()))?;
    // The transport works only while it is polled, QUIC's endpoint too.
    let working = async {
        loop {
            poll_fn(|cx| std::pin::Pin::new(&mut transport).poll(cx)).await;
        }
    };
    let talking = async {
        match dial.await {
            // Refused within the handshake: nothing was said.
            Err(_) => Heard {
                closed: true,
                ..Heard::default()
            },
            Ok((_, muxer)) => talk(muxer, words, then).await,
        }
    };
    let both = async {
        tokio::select! {
            heard = talking => heard,
            () = working => Heard::default(),
        }
    };
    tokio::time::timeout(wait::LONG, both)
        .await
        .map_err(|_| Trouble::wrong("the talk had no end"))
}

/// Lets the connection work; notes whether it has ended, and holds the streams that the other side opens: a node takes one that is dropped
/// for a refusal, and leaves.
fn drive(
    muxer: &mut StreamMuxerBox,
    cx: &mut Context<'_>,
    held: &mut Vec<SubstreamBox>,
    heard: &mut Heard,
) {
    loop {
        match muxer.poll_inbound_unpin(cx) {
            Poll::Ready(Ok(stream)) => {
                heard.streams += 1;
                held.push(stream);
            }
            Poll::Ready(Err(_)) => {
                heard.closed = true;
                return;
            }
            Poll::Pending => break,
        }
    }
    if let Poll::Ready(Err(_)) = muxer.poll_unpin(cx) {
        heard.closed = true;
    }
}

async fn talk(mut muxer: StreamMuxerBox, words: &[&str], then: &[u8]) -> Heard {
    let mut heard = Heard::default();
    let mut held = Vec::new();
    let opened = poll_fn(|cx| {
        drive(&mut muxer, cx, &mut held, &mut heard);
        muxer.poll_outbound_unpin(cx)
    });
    let Ok(mut stream) = opened.await else {
        heard.closed = true;
        return heard;
    };
    let words = words.iter().flat_map(|text| word(text));
    let said: Vec<u8> = words.chain(then.iter().copied()).collect();
    let listening = async {
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        if stream.write_all(&said).await.is_ok() && stream.flush().await.is_ok() {
            // An answer comes within the patience of a busy machine, its end is told by silence.
            let mut patience = wait::LONG / 4;
            while let Ok(Ok(read)) = tokio::time::timeout(patience, stream.read(&mut piece)).await {
                if read == 0 {
                    break;
                }
                bytes.extend_from_slice(&piece[..read]);
                patience = QUIET;
            }
        }
        bytes
    };
    let mut listening = pin!(listening);
    let bytes = poll_fn(|cx| {
        if !heard.closed {
            drive(&mut muxer, cx, &mut held, &mut heard);
        }
        listening.as_mut().poll(cx)
    });
    let bytes = bytes.await;
    if bytes.is_empty() && !heard.closed {
        // The stream may end a moment before its connection does.
        let ended = poll_fn(|cx| {
            drive(&mut muxer, cx, &mut held, &mut heard);
            if heard.closed {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        // One that goes on is what the caller then sees.
        let _ = tokio::time::timeout(wait::LONG / 4, ended).await;
    }
    Heard { bytes, ..heard }
}

/// The protocols that the other side lists on a stream, and what else came.
pub(super) async fn list(keys: &Keypair, way: Multiaddr) -> Result<(Vec<String>, Heard), Trouble> {
    let heard = say(keys, way, &[MULTISTREAM, LIST], &[]).await?;
    let text = String::from_utf8_lossy(&heard.bytes);
    let lines = text
        .split('\n')
        .filter_map(|line| line.find('/').map(|at| &line[at..]));
    let mut protocols: Vec<String> = lines
        .filter(|line| *line != MULTISTREAM)
        .map(str::to_owned)
        .collect();
    protocols.sort();
    protocols.dedup();
    Ok((protocols, heard))
}

/// What the other side says when it is asked for one protocol.
pub(super) async fn ask(keys: &Keypair, way: Multiaddr, protocol: &str) -> Result<Heard, Trouble> {
    say(keys, way, &[MULTISTREAM, protocol], &[]).await
}

/// What the other side says when these bytes are said in one protocol.
pub(super) async fn tell(
    keys: &Keypair,
    way: Multiaddr,
    protocol: &str,
    bytes: &[u8],
) -> Result<Heard, Trouble> {
    say(keys, way, &[MULTISTREAM, protocol], bytes).await
}

/// What is heard by somebody who may not speak a protocol: the name of the handshake of protocols, and no.
pub(super) fn is_no(bytes: &[u8]) -> bool {
    bytes == [word(MULTISTREAM), word("na")].concat()
}

/// What is heard by somebody who may speak it, and gets no answer.
pub(super) fn is_silence(bytes: &[u8], protocol: &str) -> bool {
    bytes == [word(MULTISTREAM), word(protocol)].concat()
}
