//! A member that another one has not heard of yet tells it, between whole nodes, while the steward is gone.

use maillon_protocol::{admin::Call, ids::CircleId};
use maillon_tests::daemon::{
    Client, Daemon, Settings, Shared, Two, invite, pair, professional, wait,
};

use crate::{Story, ensure, folder};

/// Waits until a node has the circle's charter.
fn is_in(client: &mut Client, circle: CircleId) -> Story {
    wait::until("the circle at the third", wait::LONG, || {
        let listed = client.circles()?;
        Ok(listed
            .iter()
            .any(|line| line.circle == circle)
            .then_some(()))
    })
}

#[test]
fn who_was_admitted_while_a_member_was_off_tells_it_although_the_steward_is_gone() -> Story {
    let root = folder()?;
    let Shared { mut two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    two.b.stop()?;
    // Never peers of each other: what they know of each other is the charter.
    let mut third = Daemon::new(root.path(), Settings::hospital())?;
    pair(&two.a, &third)?;
    let at_third = professional(&third, "Inès Carpentier", "10999003014", "60")?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut c = third.client()?.acting_as(&at_third);
    invite(&mut a, &mut c, third.node()?, circle)?;
    is_in(&mut c, circle)?;
    two.a.kill()?;

    two.b.start()?;
    let mut b = two.b.client()?.acting_as(&two.at_b);
    wait::until_seen("the third member, at B", wait::LONG, || {
        let members = b.circle_show(circle)?.members.len();
        Ok(((members == 3).then_some(()), members))
    })?;
    let there = c.note_add(circle, "Sortie prévue jeudi.")?.record;
    wait::until("what the third writes, at B", wait::LONG, || {
        Ok(b.shows(there)?.then_some(()))
    })?;
    let back = b.note_add(circle, "Passage organisé vendredi.")?.record;
    wait::until("what B writes, at the third", wait::LONG, || {
        Ok(c.shows(back)?.then_some(()))
    })?;

    // A restart changes nothing: they know each other.
    third.kill()?;
    third.start()?;
    let again = b.note_add(circle, "Passage confirmé.")?.record;
    let mut c = third.client()?.acting_as(&at_third);
    wait::until("what B writes then", wait::LONG, || {
        Ok(c.shows(again)?.then_some(()))
    })
}

#[test]
fn whom_an_administrator_has_suspended_does_not_come_in_by_presenting_itself() -> Story {
    let root = folder()?;
    let Shared { mut two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let third = Daemon::new(root.path(), Settings::hospital())?;
    pair(&two.a, &third)?;
    pair(&two.b, &third)?;
    let peer = third.node()?.to_string();
    two.b.client()?.call(Call::PeerSuspend { peer })?;
    two.b.stop()?;
    let at_third = professional(&third, "Inès Carpentier", "10999003014", "60")?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut c = third.client()?.acting_as(&at_third);
    invite(&mut a, &mut c, third.node()?, circle)?;
    is_in(&mut c, circle)?;
    two.a.kill()?;
    two.b.start()?;
    let node = two.b.node()?;
    wait::until_seen("the third was refused by B", wait::LONG, || {
        let line = c.peer_show(node)?.line;
        let refused = line.last_error.is_some();
        Ok(((refused && !line.connected).then_some(()), line))
    })?;
    // Some attempts later.
    std::thread::sleep(wait::LONG / 6);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let members = b.circle_show(circle)?.members;
    ensure(members.len() == 2, || format!("{members:?}"))
}
