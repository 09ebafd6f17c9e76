//! Two structures behind firewalls that let nobody in, and a third that relays between them.

use std::ffi::OsStr;

use maillon_protocol::admin::WatchEvent;
use maillon_tests::{
    daemon::{Daemon, Settings, Shared, Trouble, Two, same_digests, wait},
    sift::{Needle, Sieve},
};

use crate::{Story, ensure, folder};

/// The check that a relay which is away breaks.
const TAKEN: &str = "relay.takes-this-node";
const NOTE: &str = "Sortie prévue jeudi, plaie du talon à surveiller.";
const ALERT: &str = "Chute cette nuit, ne répond plus au téléphone.";

/// A node that listens for nobody, and so announces no address of its own.
fn behind_a_firewall(settings: Settings, relay: &str) -> Settings {
    Settings {
        quic: false,
        tcp: false,
        through: vec![relay.to_owned()],
        // Until the relay takes it.
        broken: vec![TAKEN],
        ..settings
    }
}

/// What the administrator's own command says, with exit code 0.
fn ctl(daemon: &Daemon, actor: &str, line: &str) -> Result<String, Trouble> {
    let words: Vec<&OsStr> = line.split(' ').map(OsStr::new).collect();
    let ended = daemon.ctl(actor, &words)?;
    ensure(ended.status.success(), || ended.words.clone())?;
    Ok(ended.words)
}

/// All sentences of `status`.
fn status(daemon: &Daemon) -> Result<String, Trouble> {
    let status = daemon.client()?.status()?;
    let sentences = status.reasons.into_iter().chain(status.notices);
    Ok(sentences.map(|one| one.sentence + "\n").collect())
}

fn says(words: &str, wanted: &str) -> Story {
    ensure(words.contains(wanted), || {
        format!("it does not say {wanted:?}: {words}")
    })
}

/// Waits until a node shows the other as connected through a relay.
fn relayed(here: &Daemon, there: &Daemon) -> Story {
    let (mut client, node) = (here.client()?, there.node()?);
    wait::until_seen("connected through the relay", wait::LONG, || {
        let line = client
            .peer_list()?
            .peers
            .into_iter()
            .find(|line| line.node == node);
        let through = line
            .as_ref()
            .is_some_and(|line| line.connected && line.relay.is_some());
        Ok((through.then_some(()), line))
    })
    .map(drop)
}

/// Waits until the relay takes a node.
fn taken(daemon: &Daemon) -> Story {
    let mut client = daemon.client()?;
    wait::until_seen("a place at the relay", wait::LONG, || {
        let check = client
            .doctor()?
            .into_iter()
            .find(|check| check.name == TAKEN);
        let holds = check.as_ref().is_some_and(|check| check.holds);
        Ok((holds.then_some(()), check))
    })
    .map(drop)
}

#[test]
fn a_record_and_an_alert_pass_between_two_structures_that_only_a_relay_can_reach() -> Story {
    let root = folder()?;
    // The relay is known by its node and its port before it relays for anybody.
    let mut relay = Daemon::new(root.path(), Settings::hospital())?;
    let port = Daemon::another_port()?;
    let named = format!("/ip4/127.0.0.1/tcp/{port}/p2p/{}", relay.node()?);
    let a = Daemon::new(root.path(), behind_a_firewall(Settings::dac(), &named))?;
    let b = Daemon::new(root.path(), behind_a_firewall(Settings::cpts(), &named))?;
    says(&status(&a)?, "this node holds no place at the relay of")?;

    relay.stop()?;
    relay.settings.relay_listen = vec![format!("/ip4/127.0.0.1/tcp/{port}")];
    relay.settings.relay_allow = [&a, &b]
        .map(|daemon| daemon.node().map(|node| node.to_string()))
        .into_iter()
        .collect::<Result<_, _>>()?;
    relay.settings.tap = true;
    relay.start()?;

    // Their administrators pair them over another way; from then on there is the relay.
    let Shared { mut two, circle } = Two::of(a, b)?.share()?;
    for daemon in [&mut two.a, &mut two.b] {
        taken(&*daemon)?;
        daemon.settings.broken.clear();
    }
    relayed(&two.a, &two.b)?;
    relayed(&two.b, &two.a)?;
    let mut at_a = two.a.client()?.acting_as(&two.at_a);
    let mut at_b = two.b.client()?.acting_as(&two.at_b);
    let (mut watch_a, mut watch_b) = (two.a.watch()?, two.b.watch()?);
    let alert = at_a.alert_send(circle, ALERT)?.record;
    let note = at_b.note_add(circle, NOTE)?.record;
    for (watch, wanted) in [(&mut watch_b, alert), (&mut watch_a, note)] {
        watch.until(
            "what passes through the relay",
            wait::LONG,
            |event| matches!(event, WatchEvent::Recorded { record, .. } if *record == wanted),
        )?;
    }
    same_digests(&two.a, &two.b, circle)?;

    // It is said in words, at each place where an administrator looks.
    let shown = ctl(&two.a, &two.at_a, &format!("peer show {}", two.b.node()?))?;
    says(&shown, "through the relay of")?;
    says(&shown, "/p2p-circuit")?;
    says(
        &ctl(&two.a, &two.at_a, "peer list")?,
        "connected through the relay of",
    )?;
    says(&status(&two.a)?, "can be reached through the relay of")?;
    says(
        &ctl(&two.a, &two.at_a, "doctor")?,
        "is reached through the relay of",
    )?;
    says(&status(&relay)?, "2 of 2 allowed nodes hold a place")?;

    // What the relay could keep of it is nothing that can be read.
    let tap = relay.tap();
    let secrets = [NOTE, ALERT, "QUESNEVILLE", "/maillon/sync"];
    let needles: Vec<Needle> = secrets.iter().map(|one| Needle::text(one, one)).collect();
    let found = Sieve::new(&needles)
        .path(&tap)
        .map_err(Trouble::io("a search"))?;
    ensure(found.is_empty(), || format!("{} things", found.len()))?;
    let heard = std::fs::metadata(&tap)
        .map_err(Trouble::io("the tap"))?
        .len();
    ensure(heard > 20_000, || {
        format!("the relay heard {heard} bytes only")
    })?;

    // Restarted, and killed at that, it takes both again, and they meet by themselves.
    relay.kill()?;
    relay.start()?;
    let last = at_a.note_add(circle, "Après la panne du relais.")?.record;
    watch_b.until(
        "what was written after the relay's end",
        wait::LONG,
        |event| matches!(event, WatchEvent::Recorded { record, .. } if *record == last),
    )?;
    relayed(&two.a, &two.b)?;
    taken(&two.a)?;
    taken(&two.b)
}
