//! Who is in a circle is decided by people, each time.

use std::time::Duration;

use maillon_protocol::{
    admin::{Call, PeerLine, Relation, WatchEvent},
    content::{ConsentDecision, ConsentKind},
};
use maillon_tests::daemon::{Settings, Shared, Trouble, Two, person, wait};

use crate::{Story, ensure, folder};

/// For how long nothing may happen.
const QUIET: Duration = Duration::from_secs(2);

fn is_admitted_again(two: &Two, circle: maillon_protocol::ids::CircleId) -> Result<bool, Trouble> {
    let b = two.b.node()?;
    let view = two.a.client()?.acting_as(&two.at_a).circle_show(circle)?;
    Ok(view.members.iter().any(|member| member.node == b))
}

/// Nothing happens for a while, although both nodes talk.
fn stays_out(two: &Two, circle: maillon_protocol::ids::CircleId) -> Story {
    two.a.client()?.retry_all()?;
    let end = std::time::Instant::now() + QUIET;
    while std::time::Instant::now() < end {
        ensure(!is_admitted_again(two, circle)?, || {
            String::from("it was admitted, and nobody had agreed")
        })?;
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

#[test]
fn a_removed_structure_does_not_come_back_by_an_invitation_from_before() -> Story {
    let root = folder()?;
    let mut two = Two::peered(root.path(), Settings::dac(), Settings::cpts())?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let circle = a.circle_open(person())?.line.circle;
    a.consent_given(circle)?;
    let mut at_b = two.b.watch()?;
    let first = a.circle_invite(circle, two.b.node()?)?.invitation;
    let second = a.circle_invite(circle, two.b.node()?)?.invitation;
    for wanted in [first, second] {
        at_b.until(
            "the invitation at B",
            wait::LONG,
            |event| matches!(event, WatchEvent::Invited { invitation } if *invitation == wanted),
        )?;
    }
    let mut b = two.b.client()?.acting_as(&two.at_b);
    b.circle_accept(first)?;
    b.circle_accept(second)?;
    at_b.until(
        "the charter that lists B",
        wait::LONG,
        |event| matches!(event, WatchEvent::Charter { circle: named, member: true, .. } if *named == circle),
    )?;
    a.circle_remove(circle, two.b.node()?)?;
    drop(at_b);
    two.b.stop()?;
    two.b.start()?;
    stays_out(&two, circle)?;
    // Asked anew, it is in again: people decide.
    let mut at_b = two.b.watch()?;
    let third = a.circle_invite(circle, two.b.node()?)?.invitation;
    at_b.until(
        "the invitation at B",
        wait::LONG,
        |event| matches!(event, WatchEvent::Invited { invitation } if *invitation == third),
    )?;
    two.b.client()?.acting_as(&two.at_b).circle_accept(third)?;
    wait::until("B is in again", wait::LONG, || {
        Ok(is_admitted_again(&two, circle)?.then_some(()))
    })
}

#[test]
fn who_no_longer_agrees_is_not_shared_by_an_invitation_from_before() -> Story {
    let root = folder()?;
    let two = Two::peered(root.path(), Settings::dac(), Settings::cpts())?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let circle = a.circle_open(person())?.line.circle;
    a.consent_given(circle)?;
    let mut at_b = two.b.watch()?;
    let sent = a.circle_invite(circle, two.b.node()?)?.invitation;
    at_b.until(
        "the invitation at B",
        wait::LONG,
        |event| matches!(event, WatchEvent::Invited { invitation } if *invitation == sent),
    )?;
    a.call(Call::ConsentRecord {
        circle: circle.to_string(),
        kind: ConsentKind::NonOpposition,
        decision: ConsentDecision::Withdrawn,
        answered_by: String::new(),
        how: "Par téléphone".to_owned(),
    })?;
    two.b.client()?.acting_as(&two.at_b).circle_accept(sent)?;
    stays_out(&two, circle)
}

#[test]
fn a_suspended_peer_is_cut_off_where_a_circle_is_shared_too() -> Story {
    let root = folder()?;
    let Shared { two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let (mut a, b) = (two.a.client()?, two.b.node()?);
    a.call(Call::PeerSuspend {
        peer: b.to_string(),
    })?;
    wait::until_seen("B is cut off", wait::LONG, || {
        let peer = a.peer_list()?.peers.into_iter().find(|line| line.node == b);
        let off = |line: &&PeerLine| line.relation == Relation::Suspended && !line.connected;
        let off = peer.as_ref().filter(off).map(drop);
        Ok((off, peer))
    })?;
    let written = two
        .a
        .client()?
        .acting_as(&two.at_a)
        .note_add(circle, "Après la suspension.")?;
    two.b.client()?.retry_all()?;
    let end = std::time::Instant::now() + QUIET;
    while std::time::Instant::now() < end {
        let mut b = two.b.client()?.acting_as(&two.at_b);
        ensure(!b.shows(written.record)?, || {
            String::from("it went to who is suspended")
        })?;
        std::thread::sleep(Duration::from_millis(50));
    }
    let ended = two.a.ctl(
        &two.at_a,
        &["audit", "list", "--json"].map(std::ffi::OsStr::new),
    )?;
    ensure(ended.words.contains("peer.suspend"), || ended.words)
}

#[test]
fn an_admission_leaves_a_line_in_the_audit_trail() -> Story {
    let root = folder()?;
    let Shared { two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let ended = two.a.ctl(
        &two.at_a,
        &["audit", "list", "--json"].map(std::ffi::OsStr::new),
    )?;
    let admitted = ended
        .words
        .contains("circle.admit")
        .then(|| ended.words.contains(&circle.to_string()));
    ensure(admitted == Some(true), || ended.words.clone())
}
