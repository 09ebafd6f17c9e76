//! Datagrams.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use maillon_tests::wire::{Carrier, Cut, Targets, Way, Wire, WireError};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::{Story, stays_away, within};

const LOCAL: &str = "127.0.0.1:0";

/// B: answers each datagram with the address that it came from, a space, and the datagram.
struct Echo {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Echo {
    async fn start() -> io::Result<Self> {
        let socket = UdpSocket::bind(LOCAL).await?;
        let address = socket.local_addr()?;
        let task = tokio::spawn(async move {
            let mut buffer = [0; 2048];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let answer = [from.to_string().as_bytes(), b" ", &buffer[..length]].concat();
                if socket.send_to(&answer, from).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self { address, task })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A: one client socket.
struct Client(UdpSocket);

impl Client {
    async fn of(wire: &Wire) -> io::Result<Self> {
        let socket = UdpSocket::bind(LOCAL).await?;
        socket.connect(wire.address()).await?;
        Ok(Self(socket))
    }

    async fn say(&self, word: &str) -> io::Result<()> {
        self.0.send(word.as_bytes()).await.map(|_| ())
    }

    /// The next answer: as whom B knows us, and what we said.
    async fn hear(&self) -> Result<(String, String), Box<dyn std::error::Error>> {
        let mut buffer = [0; 2048];
        let length = within(self.0.recv(&mut buffer)).await??;
        let answer = String::from_utf8(buffer[..length].to_vec())?;
        let (known_as, word) = answer
            .split_once(' ')
            .ok_or("an answer without an address")?;
        Ok((known_as.to_owned(), word.to_owned()))
    }
}

#[tokio::test]
async fn datagrams_go_there_and_back_and_are_counted() -> Story {
    let b = Echo::start().await?;
    let wire = Wire::udp(b.address).await?;
    let a = Client::of(&wire).await?;
    a.say("bonjour").await?;
    let (known_as, word) = a.hear().await?;
    assert_eq!(word, "bonjour");

    let tally = wire.tally();
    assert_eq!((tally.there.datagrams, tally.there.bytes()), (1, 7));
    assert_eq!(
        (tally.back.datagrams, tally.back.bytes()),
        (1, known_as.len() as u64 + 8)
    );
    assert_eq!((tally.there.lost, tally.back.lost), (0, 0));
    Ok(())
}

#[tokio::test]
async fn each_client_has_an_address_of_its_own_at_the_target_and_keeps_it() -> Story {
    let b = Echo::start().await?;
    let wire = Wire::udp(b.address).await?;
    let (one, two) = (Client::of(&wire).await?, Client::of(&wire).await?);
    one.say("1").await?;
    let first = one.hear().await?.0;
    two.say("2").await?;
    assert_ne!(two.hear().await?.0, first);
    one.say("3").await?;
    assert_eq!(one.hear().await?.0, first);
    Ok(())
}

#[tokio::test]
async fn beyond_64_clients_the_one_that_was_silent_longest_makes_room() -> Story {
    let b = Echo::start().await?;
    let wire = Wire::udp(b.address).await?;
    let mut clients = Vec::new();
    for _ in 0..65 {
        let client = Client::of(&wire).await?;
        client.say("here").await?;
        let known_as = client.hear().await?.0;
        clients.push((client, known_as));
    }
    let (last, known_as) = &clients[64];
    last.say("still?").await?;
    assert_eq!(&last.hear().await?.0, known_as);
    let (first, known_as) = &clients[0];
    first.say("still?").await?;
    assert_ne!(&first.hear().await?.0, known_as);
    Ok(())
}

#[tokio::test]
async fn a_cut_swallows_datagrams_and_healing_brings_only_later_ones() -> Story {
    let b = Echo::start().await?;
    let wire = Wire::udp(b.address).await?;
    let a = Client::of(&wire).await?;
    wire.delay(Duration::from_secs(3600), Duration::ZERO);
    wire.cut(Cut::Both);
    a.say("lost").await?;
    within(wire.until(|tally| tally.there.lost == 1)).await?;
    wire.heal();
    a.say("after").await?;
    assert_eq!(a.hear().await?.1, "after");
    Ok(())
}

#[tokio::test]
async fn a_cut_back_lets_the_target_hear_and_nobody_answer() -> Story {
    let b = Echo::start().await?;
    let wire = Wire::udp(b.address).await?;
    let a = Client::of(&wire).await?;
    wire.cut(Cut::Back);
    a.say("heard").await?;
    let tally = within(wire.until(|tally| tally.back.lost == 1)).await?;
    assert_eq!(
        (
            tally.there.datagrams,
            tally.there.lost,
            tally.back.datagrams
        ),
        (1, 0, 0)
    );
    assert!(stays_away(a.hear()).await);
    Ok(())
}

#[tokio::test]
async fn what_is_under_way_when_the_wire_is_cut_is_lost() -> Story {
    let b = Echo::start().await?;
    let wire = Wire::udp(b.address).await?;
    let a = Client::of(&wire).await?;
    wire.change(Way::There, |weather| {
        weather.delay = Duration::from_millis(100)
    });
    a.say("under way").await?;
    within(wire.until(|tally| tally.there.arrived == 1)).await?;
    wire.cut(Cut::There);
    let tally = within(wire.until(|tally| tally.there.lost == 1)).await?;
    assert_eq!(tally.there.datagrams, 0);
    Ok(())
}

/// Which of 200 datagrams get through, one after the other.
async fn survivors(seed: u64) -> Result<Vec<u64>, Box<dyn std::error::Error>> {
    let b = Echo::start().await?;
    let wire = Wire::lay(
        Targets {
            udp: Some(b.address),
            tcp: None,
        },
        seed,
    )
    .await?;
    wire.change(Way::There, |weather| weather.loss = 0.3);
    let a = Client::of(&wire).await?;
    let mut survivors = Vec::new();
    for number in 1..=200 {
        let before = wire.tally().there.datagrams;
        a.say("?").await?;
        let tally =
            within(wire.until(|tally| tally.there.datagrams + tally.there.lost == number)).await?;
        if tally.there.datagrams > before {
            survivors.push(number);
        }
    }
    Ok(survivors)
}

#[tokio::test]
async fn losses_are_as_frequent_as_asked_and_the_same_for_the_same_seed() -> Story {
    let first = survivors(7).await?;
    assert!(
        (115..=165).contains(&first.len()),
        "{} of 200 at a loss of 0.3",
        first.len()
    );
    assert_eq!(first, survivors(7).await?);
    assert_ne!(first, survivors(8).await?);
    Ok(())
}

#[tokio::test]
async fn a_delay_holds_each_way_and_healing_lets_go_what_it_held() -> Story {
    let b = Echo::start().await?;
    let wire = Wire::udp(b.address).await?;
    let a = Client::of(&wire).await?;
    wire.delay(Duration::from_millis(60), Duration::ZERO);
    let asked = Instant::now();
    a.say("slowly").await?;
    a.hear().await?;
    assert!(
        asked.elapsed() >= Duration::from_millis(120),
        "{:?}",
        asked.elapsed()
    );

    wire.delay(Duration::from_secs(3600), Duration::ZERO);
    a.say("an hour").await?;
    assert!(stays_away(a.hear()).await);
    wire.heal();
    assert_eq!(a.hear().await?.1, "an hour");
    Ok(())
}

#[tokio::test]
async fn without_jitter_nothing_is_overtaken_and_with_it_something_is() -> Story {
    let b = Echo::start().await?;
    let wire = Wire::udp(b.address).await?;
    let a = Client::of(&wire).await?;
    let words: Vec<String> = (0..50).map(|number| number.to_string()).collect();

    let mut orders = Vec::new();
    for jitter in [Duration::ZERO, Duration::from_millis(100)] {
        wire.change(Way::There, |weather| {
            weather.delay = Duration::from_millis(30);
            weather.jitter = jitter;
        });
        for word in &words {
            a.say(word).await?;
        }
        let mut heard = Vec::new();
        for _ in &words {
            heard.push(a.hear().await?.1);
        }
        orders.push(heard);
    }
    assert_eq!(orders[0], words);
    assert_ne!(orders[1], words);
    orders[1].sort_by_key(|word| word.parse::<u32>().ok());
    assert_eq!(orders[1], words);
    Ok(())
}

#[tokio::test]
async fn a_narrow_wire_takes_its_time() -> Story {
    let b = Echo::start().await?;
    let wire = Wire::udp(b.address).await?;
    let a = Client::of(&wire).await?;
    wire.change(Way::There, |weather| {
        weather.bytes_per_second = NonZeroU64::new(20_000)
    });
    let asked = Instant::now();
    let word = "x".repeat(1000);
    for _ in 0..5 {
        a.say(&word).await?;
    }
    within(wire.until(|tally| tally.there.datagrams == 5)).await?;
    assert!(
        asked.elapsed() >= Duration::from_millis(250),
        "5,000 bytes in {:?}",
        asked.elapsed()
    );
    Ok(())
}

#[tokio::test]
async fn a_target_that_comes_back_elsewhere_is_found_when_the_wire_is_told() -> Story {
    let before = Echo::start().await?;
    let wire = Wire::udp(before.address).await?;
    let a = Client::of(&wire).await?;
    a.say("1").await?;
    a.hear().await?;
    drop(before);
    let after = Echo::start().await?;
    wire.lead_to(Targets {
        udp: Some(after.address),
        tcp: None,
    })?;
    a.say("2").await?;
    assert_eq!(a.hear().await?.1, "2");
    Ok(())
}

#[tokio::test]
async fn the_tape_holds_what_passed_and_not_what_was_lost() -> Story {
    let b = Echo::start().await?;
    let wire = Wire::udp(b.address).await?;
    wire.record(10_000);
    let a = Client::of(&wire).await?;
    a.say("passed").await?;
    a.hear().await?;
    wire.cut(Cut::There);
    a.say("swallowed").await?;
    within(wire.until(|tally| tally.there.lost == 1)).await?;

    let tape = wire.tape();
    assert!(tape.complete() && tape.contains(b"passed") && !tape.contains(b"swallowed"));
    let ways: Vec<_> = tape
        .passed()
        .map(|passed| (passed.carrier, passed.way))
        .collect();
    assert_eq!(
        ways,
        [(Carrier::Udp, Way::There), (Carrier::Udp, Way::Back)]
    );
    Ok(())
}

#[tokio::test]
async fn a_wire_leads_to_this_machine_only() {
    let elsewhere: SocketAddr = ([192, 0, 2, 1], 443).into();
    assert!(
        matches!(Wire::udp(elsewhere).await, Err(WireError::NotLoopback(address)) if address == elsewhere)
    );
    assert!(matches!(
        Wire::lay(Targets::default(), 1).await,
        Err(WireError::NoTarget)
    ));
}
