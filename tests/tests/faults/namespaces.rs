//! Nodes on machines of their own, and a router between them that cuts, filters, hides and moves them.

use std::time::Duration;

use maillon_protocol::{
    admin::WatchEvent,
    ids::{CircleId, RecordId},
};
use maillon_tests::daemon::{
    Daemon, Roads, Settings, Shared, Trouble, Two, Watch, same_digests, wait,
};
use tempfile::TempDir;

use crate::{Story, ensure, folder};

/// A silent connection is given up after 15 s (QUIC) or two pings (TCP), an attempt after 8 s, and while an alert waits the next one follows within
/// 10 s.
const NOTICED: Duration = Duration::from_secs(60);
/// From an open road to the alert that waited for it.
const HEALED: Duration = Duration::from_secs(20);

const NOTHING: &str = "drop";
const NO_UDP: &str = "ip protocol udp drop";
const NO_TCP: &str = "ip protocol tcp drop";
const APART: &str =
    "ip saddr $place1 ip daddr $place2 drop\nip saddr $place2 ip daddr $place1 drop";

/// Two nodes at places 1 and 2 with a common circle, and their roads. What is first here goes first at the end.
struct Met {
    two: Two,
    circle: CircleId,
    relay: Option<Daemon>,
    roads: Roads,
    _root: TempDir,
}

fn met_on(roads: Roads) -> Result<Met, Trouble> {
    let root = folder()?;
    let (a, b) = (roads.at(1, Settings::dac()), roads.at(2, Settings::cpts()));
    let Shared { two, circle } = Two::peered(root.path(), a, b)?.share()?;
    Ok(Met {
        two,
        circle,
        relay: None,
        roads,
        _root: root,
    })
}

impl Met {
    fn alert_at_a(&self, text: &str) -> Result<RecordId, Trouble> {
        let mut client = self.two.a.client()?.acting_as(&self.two.at_a);
        Ok(client.alert_send(self.circle, text)?.record)
    }

    fn alert_at_b(&self, text: &str) -> Result<RecordId, Trouble> {
        let mut client = self.two.b.client()?.acting_as(&self.two.at_b);
        Ok(client.alert_send(self.circle, text)?.record)
    }

    /// An alert each way, each there within the bound.
    fn both_ways(&self, bound: Duration) -> Story {
        let (mut at_a, mut at_b) = (self.two.a.watch()?, self.two.b.watch()?);
        let (there, back) = (
            self.alert_at_a("Chute ce matin.")?,
            self.alert_at_b("Vue, j'y vais.")?,
        );
        arrives(&mut at_b, there, bound)?;
        arrives(&mut at_a, back, bound)
    }

    fn relay(&mut self) -> Result<&mut Daemon, Trouble> {
        let relay = self.relay.as_mut();
        relay.ok_or_else(|| Trouble::wrong("there is no relay"))
    }

    fn agree(&self) -> Story {
        same_digests(&self.two.a, &self.two.b, self.circle).map(drop)
    }
}

fn arrives(watch: &mut Watch, wanted: RecordId, bound: Duration) -> Story {
    let is_it = |event: &WatchEvent| matches!(event, WatchEvent::Recorded { record, .. } if *record == wanted);
    watch.until("the alert", bound, is_it).map(drop)
}

/// Waits until a node reaches another in one of these ways.
fn reached_by(here: &Daemon, there: &Daemon, ways: &[&str], bound: Duration) -> Story {
    let (mut client, node) = (here.client()?, there.node()?);
    let what = format!(
        "{} is reached by {}",
        there.settings.name,
        ways.join(" or ")
    );
    let reached = wait::until_seen(&what, bound, || {
        let peer = client.peer_show(node)?;
        let so = peer
            .transport
            .as_deref()
            .is_some_and(|way| ways.contains(&way));
        Ok((so.then_some(()), (peer.transport, peer.line.last_error)))
    });
    reached.map(drop)
}

/// Waits until a node no longer shows another as connected and has tried in vain, and looks whether it says so in these words, with what waits.
fn out_of_reach(here: &Daemon, there: &Daemon, words: &[&str]) -> Story {
    let (mut client, node) = (here.client()?, there.node()?);
    let what = format!("{} is out of reach", there.settings.name);
    wait::until_seen(&what, NOTICED, || {
        let line = client.peer_show(node)?.line;
        let said = line.last_error.as_deref().unwrap_or_default();
        let so = !line.connected && line.waiting > 0 && words.contains(&said);
        Ok((so.then_some(()), line))
    })?;
    // It is nobody's fault here: nothing that this node promises is broken, and `status` still answers.
    let status = client.status()?;
    ensure(!status.sentence.is_empty(), || format!("{status:?}"))?;
    match here.settings.through.is_empty() {
        true => here.invariants().map(drop),
        // Its relay is away too, and `doctor` comes to name it.
        false => relay_check(here, false),
    }
}

const TCP: &[&str] = &["tcp"];
const QUIC: &[&str] = &["quic"];
const RELAY: &[&str] = &["relay"];
/// Both are tried side by side, and the first one stays.
const DIRECT: &[&str] = &["quic", "tcp"];

/// What an attempt says that nobody answers.
const SILENCE: [&str; 1] = ["no answer in time"];

#[test]
fn an_alert_written_while_the_road_is_cut_arrives_when_it_is_open_again() -> Story {
    let Some(roads) = Roads::lay(2)? else {
        return Ok(());
    };
    let met = met_on(roads)?;
    let (mut at_a, mut at_b) = (met.two.a.watch()?, met.two.b.watch()?);
    met.roads.rules(NOTHING)?;
    let (there, back) = (
        met.alert_at_a("Pendant la coupure.")?,
        met.alert_at_b("De même.")?,
    );
    out_of_reach(&met.two.a, &met.two.b, &SILENCE)?;
    out_of_reach(&met.two.b, &met.two.a, &SILENCE)?;
    met.roads.rules("")?;
    arrives(&mut at_b, there, HEALED)?;
    arrives(&mut at_a, back, HEALED)?;
    met.agree()
}

#[test]
fn where_udp_is_dropped_from_the_start_two_machines_pair_and_meet_over_tcp() -> Story {
    let Some(roads) = Roads::lay(2)? else {
        return Ok(());
    };
    roads.rules(NO_UDP)?;
    let met = met_on(roads)?;
    reached_by(&met.two.a, &met.two.b, TCP, wait::LONG)?;
    met.both_ways(HEALED)?;
    met.agree()
}

#[test]
fn a_connection_over_udp_that_a_firewall_begins_to_drop_goes_on_over_tcp() -> Story {
    let Some(roads) = Roads::lay(2)? else {
        return Ok(());
    };
    roads.rules(NO_TCP)?;
    let met = met_on(roads)?;
    reached_by(&met.two.a, &met.two.b, QUIC, wait::LONG)?;
    met.roads.rules(NO_UDP)?;
    met.both_ways(NOTICED)?;
    reached_by(&met.two.a, &met.two.b, TCP, wait::LONG)?;
    reached_by(&met.two.b, &met.two.a, TCP, wait::LONG)?;
    met.agree()
}

#[test]
fn a_node_whose_address_changes_is_found_again_and_can_be_dialled_at_the_new_one() -> Story {
    let Some(roads) = Roads::lay(2)? else {
        return Ok(());
    };
    let mut met = met_on(roads)?;
    let moved = std::net::Ipv4Addr::new(10, 77, 1, 77);
    met.roads.address(1, moved)?;
    met.both_ways(NOTICED)?;
    let node = met.two.a.node()?;
    let (mut at_b, told) = (met.two.b.client()?, format!("/ip4/{moved}/"));
    wait::until_seen("B knows the new address", HEALED, || {
        let all = at_b.peer_show(node)?.addresses;
        let known = all.iter().any(|one| one.starts_with(&told));
        Ok((known.then_some(()), all))
    })?;
    // From now on only B can begin a conversation, so it needs the new address.
    met.roads
        .rules("ip saddr $place1 ip daddr $place2 ct state new drop")?;
    met.two.b.kill()?;
    met.two.b.start()?;
    met.both_ways(HEALED)?;
    met.agree()
}

#[test]
fn a_node_behind_address_translation_dials_out_and_alerts_pass_both_ways() -> Story {
    let Some(roads) = Roads::lay(2)? else {
        return Ok(());
    };
    // Nobody can dial place 2, and what it says comes from the router's address. It accepts the invitation, so it dials there too.
    roads.rules_behind(2, "")?;
    let mut met = met_on(roads)?;
    met.both_ways(HEALED)?;
    // The open one loses its power: it cannot come back to the hidden one, and waits for it.
    met.two.a.kill()?;
    met.two.a.start()?;
    met.both_ways(HEALED)?;
    // The hidden one dials again as soon as it is there.
    met.two.b.stop()?;
    let waiting = met.alert_at_a("Pendant son absence.")?;
    out_of_reach(&met.two.a, &met.two.b, &SILENCE)?;
    met.two.b.start()?;
    let mut at_b = met.two.b.client()?.acting_as(&met.two.at_b);
    wait::until("what waited for the hidden one", HEALED, || {
        Ok(at_b.shows(waiting)?.then_some(()))
    })?;
    met.agree()
}

/// Waits until `doctor` says that the relay takes a node, or that it does not: a node asks again every half minute, whatever way its links have
/// found meanwhile.
fn relay_check(daemon: &Daemon, takes: bool) -> Story {
    let mut client = daemon.client()?;
    let what = format!("doctor says that the relay takes it: {takes}");
    let said = wait::until_seen(&what, NOTICED, || {
        let checks = client.doctor()?;
        let relay = checks
            .into_iter()
            .find(|one| one.name == "relay.takes-this-node");
        let so = relay.as_ref().is_some_and(|check| check.holds == takes);
        Ok((so.then_some(()), relay))
    });
    said.map(drop)
}

/// Two nodes that met in the open and use the relay of a third, at place 3.
fn met_with_relay(roads: Roads) -> Result<Met, Trouble> {
    let root = folder()?;
    let mut relay = Daemon::new(root.path(), roads.at(3, Settings::hospital()))?;
    let port = Daemon::another_port()?;
    let named = format!(
        "/ip4/{}/tcp/{port}/p2p/{}",
        roads.first_address(3),
        relay.node()?
    );
    let behind = |place, settings| {
        let settings = roads.at(place, settings);
        Daemon::new(
            root.path(),
            Settings {
                through: vec![named.clone()],
                ..settings
            },
        )
    };
    let (a, b) = (behind(1, Settings::dac())?, behind(2, Settings::cpts())?);
    relay.stop()?;
    relay.settings.relay_listen = vec![format!("/ip4/0.0.0.0/tcp/{port}")];
    relay.settings.relay_allow = vec![a.node()?.to_string(), b.node()?.to_string()];
    relay.start()?;
    let Shared { two, circle } = Two::of(a, b)?.share()?;
    Ok(Met {
        two,
        circle,
        relay: Some(relay),
        roads,
        _root: root,
    })
}

#[test]
fn two_nodes_that_can_no_longer_reach_each_other_go_on_through_the_relay_and_back() -> Story {
    let Some(roads) = Roads::lay(3)? else {
        return Ok(());
    };
    let mut met = met_with_relay(roads)?;
    reached_by(&met.two.a, &met.two.b, DIRECT, wait::LONG)?;

    // Both firewalls let nothing in any more, and the relay takes over.
    met.roads.rules(APART)?;
    met.both_ways(NOTICED)?;
    reached_by(&met.two.a, &met.two.b, RELAY, HEALED)?;

    // The relay's machine vanishes without a word and comes back.
    met.roads.rules(NOTHING)?;
    met.relay()?.kill()?;
    let (mut at_a, mut at_b) = (met.two.a.watch()?, met.two.b.watch()?);
    let (there, back) = (met.alert_at_a("Sans relais.")?, met.alert_at_b("De même.")?);
    let neither_way = ["the node can be reached neither directly nor through a relay"];
    out_of_reach(&met.two.a, &met.two.b, &[SILENCE[0], neither_way[0]])?;
    met.relay()?.start()?;
    met.roads.rules(APART)?;
    arrives(&mut at_b, there, NOTICED)?;
    arrives(&mut at_a, back, NOTICED)?;
    reached_by(&met.two.b, &met.two.a, RELAY, HEALED)?;

    // The direct way is open again: whoever asks for it gets it at once, and nothing is lost on the way over.
    met.roads.rules("")?;
    met.two.a.client()?.retry_all()?;
    reached_by(&met.two.a, &met.two.b, DIRECT, HEALED)?;
    met.both_ways(HEALED)?;
    relay_check(&met.two.a, true)?;
    relay_check(&met.two.b, true)?;
    met.agree()
}
