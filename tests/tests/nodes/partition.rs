//! Real processes on bad roads: cut off from each other, and healed.

use std::{sync::Arc, time::Duration};

use maillon_protocol::admin::WatchEvent;
use maillon_tests::{
    daemon::{
        Cable, Carriers, Daemon, Settings, Shared, Trouble, Two, admit, person, same_digests, wait,
    },
    wire::Cut,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{Story, ensure, folder};

/// A lost connection is noticed by its pings, and tried again with growing waits.
const PATIENCE: Duration = Duration::from_secs(120);

/// Two nodes that know each other by wires only.
pub(crate) struct Apart {
    pub(crate) to_a: Cable,
    pub(crate) to_b: Cable,
    pub(crate) a: Daemon,
    pub(crate) b: Daemon,
    pub(crate) _root: TempDir,
}

pub(crate) fn apart(carriers: Carriers) -> Result<Apart, Trouble> {
    let root = folder()?;
    let runtime = Arc::new(Runtime::new().map_err(Trouble::io("a runtime"))?);
    let mut a = Daemon::init(root.path(), Settings::dac())?;
    let mut b = Daemon::init(root.path(), Settings::cpts())?;
    Ok(Apart {
        to_a: Cable::lay(&mut a, carriers, &runtime)?,
        to_b: Cable::lay(&mut b, carriers, &runtime)?,
        a,
        b,
        _root: root,
    })
}

pub(crate) fn meet(mut a: Daemon, mut b: Daemon) -> Result<Two, Trouble> {
    a.start()?;
    b.start()?;
    Two::of(a, b)
}

fn a_partition_heals(carriers: Carriers) -> Story {
    let Apart {
        to_a,
        to_b,
        a,
        b,
        _root,
    } = apart(carriers)?;
    let Shared { two, circle } = meet(a, b)?.share()?;
    ensure(to_a.passed() + to_b.passed() > 0, || {
        String::from("nothing passed the wires: the nodes met elsewhere")
    })?;
    let (mut watch_a, mut watch_b) = (two.a.watch()?, two.b.watch()?);
    let mut at_a = two.a.client()?.acting_as(&two.at_a);
    let mut at_b = two.b.client()?.acting_as(&two.at_b);

    to_a.cut();
    to_b.cut();
    let from_a = at_a
        .alert_send(circle, "Écrite pendant la coupure.")?
        .record;
    let from_b = at_b.note_add(circle, "Écrite de l'autre côté.")?.record;
    watch_a.until("A notices the cut", PATIENCE, |event| {
        matches!(event, WatchEvent::Link { up: false, .. })
    })?;
    for (client, record) in [(&mut at_b, from_a), (&mut at_a, from_b)] {
        let crossed = client.shows(record)?;
        ensure(!crossed, || String::from("it crossed the cut"))?;
    }

    to_a.heal();
    to_b.heal();
    for (watch, record) in [(&mut watch_b, from_a), (&mut watch_a, from_b)] {
        watch.until(
            "what was written during the cut",
            PATIENCE,
            |event| matches!(event, WatchEvent::Recorded { record: found, .. } if *found == record),
        )?;
    }
    same_digests(&two.a, &two.b, circle).map(drop)
}

#[test]
fn an_alert_written_during_a_partition_arrives_when_it_heals_over_quic() -> Story {
    a_partition_heals(Carriers::Quic)
}

#[test]
fn an_alert_written_during_a_partition_arrives_when_it_heals_over_tcp() -> Story {
    a_partition_heals(Carriers::Tcp)
}

/// Circles in which both sides have written: more than the ranges that a node asks for at a time.
const CIRCLES: usize = 20;
/// Text of a note, in bytes; what waits in all circles is more than all queues between two nodes hold.
const LONG_NOTE: usize = 60_000;

#[test]
fn two_nodes_that_both_have_much_for_each_other_do_not_wait_for_each_other() -> Story {
    let root = folder()?;
    let Shared { mut two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let mut circles = vec![circle];
    while circles.len() < CIRCLES {
        let mut a = two.a.client()?.acting_as(&two.at_a);
        let next = a.circle_open(person())?.line.circle;
        a.consent_given(next)?;
        admit(&two, next)?;
        circles.push(next);
    }
    let text = "Longue observation. ".repeat(LONG_NOTE / 20);
    let write = |daemon: &Daemon, who: &str| -> Result<(), Trouble> {
        let mut client = daemon.client()?.acting_as(who);
        for circle in circles.iter().cycle().take(10 * CIRCLES) {
            client.note_add(*circle, &text)?;
        }
        Ok(())
    };
    two.b.stop()?;
    write(&two.a, &two.at_a)?;
    two.a.stop()?;
    two.b.start()?;
    write(&two.b, &two.at_b)?;
    two.a.start()?;
    for circle in &circles {
        same_digests(&two.a, &two.b, *circle)?;
    }
    Ok(())
}

/// Much less than the minute after which everything is compared again.
const AT_ONCE: Duration = Duration::from_secs(20);

#[test]
fn what_is_written_right_after_an_admission_arrives_at_once() -> Story {
    let root = folder()?;
    let two = Two::peered(root.path(), Settings::dac(), Settings::cpts())?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let mut at_a = two.a.watch()?;
    for _ in 0..10 {
        let circle = a.circle_open(person())?.line.circle;
        a.consent_given(circle)?;
        let mut at_b = two.b.watch()?;
        let sent = a.circle_invite(circle, two.b.node()?)?;
        at_b.until("the invitation at B", AT_ONCE, |event| {
            matches!(event, WatchEvent::Invited { invitation } if *invitation == sent.invitation)
        })?;
        b.circle_accept(sent.invitation)?;
        at_a.until("the admission at A", AT_ONCE, |event| {
            matches!(event, WatchEvent::Charter { circle: named, entry: 2, .. } if *named == circle)
        })?;
        // B has not even got the charter that lists it.
        let alert = a.alert_send(circle, "Essoufflée au repos depuis midi.")?;
        at_b.until(
            "the alert at B",
            AT_ONCE,
            |event| matches!(event, WatchEvent::Recorded { record, .. } if *record == alert.record),
        )?;
        at_a.until("its delivery at A", AT_ONCE, |event| {
            matches!(event, WatchEvent::Delivered { record, .. } if *record == alert.record)
        })?;
    }
    Ok(())
}

#[test]
fn where_udp_is_blocked_the_nodes_meet_over_tcp() -> Story {
    let Apart {
        to_a,
        to_b,
        a,
        b,
        _root,
    } = apart(Carriers::Both)?;
    for udp in to_a.udp.iter().chain(&to_b.udp) {
        udp.cut(Cut::Both);
    }
    let Shared { two, circle } = meet(a, b)?.share()?;
    let peer = two.a.client()?.peer_show(two.b.node()?)?;
    ensure(peer.transport.as_deref() == Some("tcp"), || {
        format!("they are connected by {:?}", peer.transport)
    })?;
    same_digests(&two.a, &two.b, circle).map(drop)
}

#[test]
fn a_retry_by_hand_ends_the_wait() -> Story {
    let Apart {
        to_a,
        to_b,
        a,
        b,
        _root,
    } = apart(Carriers::Tcp)?;
    let two = meet(a, b)?;
    let mut watch = two.a.watch()?;
    for tcp in to_a.tcp.iter().chain(&to_b.tcp) {
        tcp.sever();
    }
    let is_link = |wanted: bool| move |event: &WatchEvent| matches!(event, WatchEvent::Link { up, .. } if *up == wanted);
    let node = two.b.node()?;
    let mut at_a = two.a.client()?;
    // Asked, not watched for: of two connections that were made at once, the link's may have ended a moment before the cut.
    wait::until("A notices the cut", PATIENCE, || {
        Ok((!at_a.peer_show(node)?.line.connected).then_some(()))
    })?;
    wait::until("a wait of several seconds", PATIENCE, || {
        let next = at_a.peer_show(node)?.next_attempt_ms;
        Ok(next.filter(|next| *next > 3_000))
    })?;
    watch.forget();
    to_a.heal();
    to_b.heal();
    at_a.retry_all()?;
    watch
        .until("A reaches B at once", Duration::from_secs(3), is_link(true))
        .map(drop)
}
