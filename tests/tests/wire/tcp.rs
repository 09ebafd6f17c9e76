//! Streams.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use maillon_tests::wire::{Cut, Mishap, Way, Wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{Story, stays_away, within};

/// B's door, and a connection through a wire to it, seen from both ends.
struct Line {
    door: TcpListener,
    wire: Wire,
    a: TcpStream,
    b: TcpStream,
}

impl Line {
    async fn open() -> Result<Self, Box<dyn Error>> {
        let door = TcpListener::bind("127.0.0.1:0").await?;
        let wire = Wire::tcp(door.local_addr()?).await?;
        let a = TcpStream::connect(wire.address()).await?;
        let b = accept(&door).await?;
        Ok(Self { door, wire, a, b })
    }
}

async fn accept(door: &TcpListener) -> Result<TcpStream, Box<dyn Error>> {
    Ok(within(door.accept()).await??.0)
}

async fn hear(stream: &mut TcpStream, length: usize) -> Result<String, Box<dyn Error>> {
    let mut buffer = vec![0; length];
    within(stream.read_exact(&mut buffer)).await??;
    Ok(String::from_utf8(buffer)?)
}

/// How a stream ends: its remaining length, or the error.
async fn end(stream: &mut TcpStream) -> Result<io::Result<usize>, Box<dyn Error>> {
    within(stream.read_to_end(&mut Vec::new())).await
}

fn is_reset(end: &io::Result<usize>) -> bool {
    matches!(end, Err(error) if error.kind() == ErrorKind::ConnectionReset)
}

#[tokio::test]
async fn a_stream_passes_both_ways_and_each_way_ends_by_itself() -> Story {
    let Line {
        mut a, mut b, wire, ..
    } = Line::open().await?;
    a.write_all(b"bonjour").await?;
    assert_eq!(hear(&mut b, 7).await?, "bonjour");
    a.shutdown().await?;
    assert_eq!(end(&mut b).await??, 0);
    b.write_all(b"bonsoir").await?;
    assert_eq!(hear(&mut a, 7).await?, "bonsoir");
    drop(b);
    assert_eq!(end(&mut a).await??, 0);
    let tally = within(wire.until(|tally| tally.open == 0)).await?;
    assert_eq!(
        (
            tally.there.bytes(),
            tally.back.bytes(),
            tally.connections,
            tally.resets
        ),
        (7, 7, 1, 0)
    );
    Ok(())
}

#[tokio::test]
async fn many_bytes_arrive_as_they_were_through_delay_jitter_and_losses() -> Story {
    let Line {
        mut a, mut b, wire, ..
    } = Line::open().await?;
    wire.delay(Duration::from_millis(2), Duration::from_millis(5));
    wire.change(Way::There, |weather| {
        weather.loss = 0.1;
        weather.mishap = Mishap::Stall(Duration::from_millis(10));
    });
    let sent: Vec<u8> = (0..3_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let expected = sent.clone();
    let writer = tokio::spawn(async move {
        a.write_all(&sent).await?;
        a.shutdown().await
    });
    let mut received = Vec::new();
    within(b.read_to_end(&mut received)).await??;
    writer.await??;
    assert!(
        received == expected,
        "{} bytes came, changed",
        received.len()
    );
    Ok(())
}

#[tokio::test]
async fn a_cut_holds_a_stream_silently_and_healing_carries_on_where_it_stopped() -> Story {
    let Line {
        mut a, mut b, wire, ..
    } = Line::open().await?;
    wire.cut(Cut::Both);
    a.write_all(b"held").await?;
    b.write_all(b"too").await?;
    assert!(stays_away(hear(&mut b, 1)).await);
    assert!(stays_away(hear(&mut a, 1)).await);
    wire.heal();
    assert_eq!(hear(&mut b, 4).await?, "held");
    assert_eq!(hear(&mut a, 3).await?, "too");
    assert_eq!(wire.tally().resets, 0);
    Ok(())
}

#[tokio::test]
async fn a_delay_holds_a_stream_and_healing_lets_go_what_it_held() -> Story {
    let Line {
        mut a, mut b, wire, ..
    } = Line::open().await?;
    wire.delay(Duration::from_millis(60), Duration::ZERO);
    let asked = Instant::now();
    a.write_all(b"slow").await?;
    assert_eq!(hear(&mut b, 4).await?, "slow");
    assert!(asked.elapsed() >= Duration::from_millis(60));

    wire.delay(Duration::from_secs(3600), Duration::ZERO);
    a.write_all(b"an hour").await?;
    assert!(stays_away(hear(&mut b, 1)).await);
    wire.heal();
    assert_eq!(hear(&mut b, 7).await?, "an hour");
    Ok(())
}

#[tokio::test]
async fn a_target_that_resets_at_once_during_a_cut_is_seen_when_it_heals() -> Story {
    let Line { mut a, b, wire, .. } = Line::open().await?;
    wire.cut(Cut::Both);
    b.set_zero_linger()?;
    drop(b);
    assert!(stays_away(end(&mut a)).await);
    wire.heal();
    let seen = end(&mut a).await?;
    assert!(is_reset(&seen), "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn a_cut_there_lets_a_hear_b_while_b_hears_nothing() -> Story {
    let Line {
        mut a, mut b, wire, ..
    } = Line::open().await?;
    wire.cut(Cut::There);
    a.write_all(b"question").await?;
    b.write_all(b"news").await?;
    assert_eq!(hear(&mut a, 4).await?, "news");
    assert!(stays_away(hear(&mut b, 1)).await);
    assert_eq!(wire.tally().there.bytes(), 0);
    wire.heal();
    assert_eq!(hear(&mut b, 8).await?, "question");
    Ok(())
}

#[tokio::test]
async fn a_death_during_a_cut_is_seen_when_it_heals() -> Story {
    let Line {
        mut a, mut b, wire, ..
    } = Line::open().await?;
    b.write_all(b"alive").await?;
    assert_eq!(hear(&mut a, 5).await?, "alive");
    wire.cut(Cut::Both);
    b.set_zero_linger()?;
    drop(b);
    assert!(stays_away(end(&mut a)).await);
    wire.heal();
    let seen = end(&mut a).await?;
    assert!(is_reset(&seen), "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn a_connection_made_during_a_cut_reaches_the_target_when_it_heals() -> Story {
    let door = TcpListener::bind("127.0.0.1:0").await?;
    let wire = Wire::tcp(door.local_addr()?).await?;
    wire.cut(Cut::Back);
    let mut a = TcpStream::connect(wire.address()).await?;
    a.write_all(b"hello").await?;
    within(wire.until(|tally| tally.connections == 1)).await?;
    assert!(stays_away(door.accept()).await);
    wire.heal();
    let mut b = accept(&door).await?;
    assert_eq!(hear(&mut b, 5).await?, "hello");
    Ok(())
}

#[tokio::test]
async fn a_reset_is_seen_on_both_sides_and_the_next_connection_is_welcome() -> Story {
    let Line {
        mut a,
        mut b,
        wire,
        door,
    } = Line::open().await?;
    wire.reset();
    let (at_a, at_b) = (end(&mut a).await?, end(&mut b).await?);
    assert!(is_reset(&at_a) && is_reset(&at_b), "{at_a:?} {at_b:?}");

    let mut a = TcpStream::connect(wire.address()).await?;
    let mut b = accept(&door).await?;
    a.write_all(b"again").await?;
    assert_eq!(hear(&mut b, 5).await?, "again");
    Ok(())
}

#[tokio::test]
async fn a_severed_wire_resets_old_and_new_connections_until_it_heals() -> Story {
    let Line {
        mut a, wire, door, ..
    } = Line::open().await?;
    wire.sever();
    let seen = end(&mut a).await?;
    assert!(is_reset(&seen), "{seen:?}");
    let refused = match TcpStream::connect(wire.address()).await {
        Ok(mut late) => end(&mut late).await?,
        Err(error) => Err(error),
    };
    assert!(is_reset(&refused), "{refused:?}");
    wire.heal();
    let _a = TcpStream::connect(wire.address()).await?;
    accept(&door).await?;
    Ok(())
}

#[tokio::test]
async fn a_target_that_is_down_resets_whoever_dials() -> Story {
    let door = TcpListener::bind("127.0.0.1:0").await?;
    let wire = Wire::tcp(door.local_addr()?).await?;
    drop(door);
    let mut a = TcpStream::connect(wire.address()).await?;
    let seen = end(&mut a).await?;
    assert!(is_reset(&seen), "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn a_lost_chunk_stalls_or_resets_as_asked() -> Story {
    let Line {
        mut a, mut b, wire, ..
    } = Line::open().await?;
    wire.change(Way::There, |weather| {
        weather.loss = 1.0;
        weather.mishap = Mishap::Stall(Duration::from_millis(120));
    });
    let asked = Instant::now();
    a.write_all(b"late").await?;
    assert_eq!(hear(&mut b, 4).await?, "late");
    assert!(
        asked.elapsed() >= Duration::from_millis(120),
        "{:?}",
        asked.elapsed()
    );

    wire.change(Way::There, |weather| weather.mishap = Mishap::Reset);
    a.write_all(b"never").await?;
    let seen = end(&mut b).await?;
    assert!(is_reset(&seen), "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn a_narrow_wire_is_shared_by_its_connections_and_widening_lets_go() -> Story {
    let Line {
        mut a,
        mut b,
        wire,
        door,
    } = Line::open().await?;
    let mut a2 = TcpStream::connect(wire.address()).await?;
    let mut b2 = accept(&door).await?;
    wire.limit(NonZeroU64::new(20_000));
    let asked = Instant::now();
    a.write_all(&[b'x'; 3000]).await?;
    a2.write_all(&[b'y'; 3000]).await?;
    hear(&mut b, 3000).await?;
    hear(&mut b2, 3000).await?;
    assert!(
        asked.elapsed() >= Duration::from_millis(300),
        "6,000 bytes in {:?}",
        asked.elapsed()
    );

    wire.limit(NonZeroU64::new(1));
    a.write_all(&[b'z'; 100_000]).await?;
    assert!(stays_away(hear(&mut b, 100_000)).await);
    wire.limit(None);
    hear(&mut b, 100_000).await?;
    Ok(())
}

#[tokio::test]
async fn one_port_serves_streams_and_datagrams() -> Story {
    let door = TcpListener::bind("127.0.0.1:0").await?;
    let address: SocketAddr = door.local_addr()?;
    let socket = tokio::net::UdpSocket::bind(address).await?;
    let wire = Wire::both(address).await?;
    wire.record(1000);

    let mut a = TcpStream::connect(wire.address()).await?;
    let mut b = accept(&door).await?;
    a.write_all(b"stream").await?;
    assert_eq!(hear(&mut b, 6).await?, "stream");

    let client = tokio::net::UdpSocket::bind("127.0.0.1:0").await?;
    client.send_to(b"datagram", wire.address()).await?;
    let mut buffer = [0; 100];
    let (length, _) = within(socket.recv_from(&mut buffer)).await??;
    assert_eq!(&buffer[..length], b"datagram");

    let (tally, tape) = (wire.tally(), wire.tape());
    assert_eq!(
        (tally.there.stream_bytes, tally.there.datagram_bytes),
        (6, 8)
    );
    assert!(tape.contains(b"datagram"));
    assert_eq!(tape.stream(0, Way::There), b"stream");
    Ok(())
}

#[tokio::test]
async fn a_dropped_wire_takes_its_connections_along() -> Story {
    let Line {
        mut a, mut b, wire, ..
    } = Line::open().await?;
    let address = wire.address();
    drop(wire);
    assert_eq!(end(&mut a).await??, 0);
    assert_eq!(end(&mut b).await??, 0);
    // Tasks end as the runtime comes round to them: asked until the port is closed.
    within(async { while TcpStream::connect(address).await.is_ok() {} }).await?;
    Ok(())
}
