//! An alert, and what its writer sees of it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use maillon_protocol::{
    admin::WatchEvent,
    content::AlertStep,
    dossier::Delivery,
    ids::{CircleId, RecordId},
};

use super::{Stopped, Teller, World, teller::shown};
use crate::daemon::{Trouble, Two, wait};

const TEXT: &str =
    "Chute cette nuit dans la salle de bains, douleur à la hanche droite, ne se lève plus.";

pub(super) fn tell(teller: &mut Teller, world: &mut World) -> Result<(), Stopped> {
    let (two, circle) = (&world.two, world.circle);
    let (alert, sent_ms) = teller.tell(
        "A sends an alert while B sleeps, and sees it waiting",
        || {
            two.b.freeze()?;
            let sent_ms = now_ms();
            let mut a = two.a.client()?.acting_as(&two.at_a);
            let alert = a.alert_send(circle, TEXT)?.record;
            match delivery(two, circle, alert)? {
                Delivery::Waiting { since_ms } if in_order(&[sent_ms, since_ms, now_ms()]) => {
                    Ok((alert, sent_ms))
                }
                other => Err(Trouble::wrong(format!("A sees {other:?}"))),
            }
        },
    )?;
    let mut at_a = two.a.watch().map_err(|_| Stopped)?;
    let delivered_ms = teller.tell("B wakes, and A sees it delivered, with the time", || {
        two.b.thaw()?;
        let node = two.b.node()?;
        at_a.until("the alert's delivery", wait::LONG, |event| {
            matches!(event, WatchEvent::Delivered { record, node: to, .. } if *record == alert && *to == node)
        })?;
        match delivery(two, circle, alert)? {
            Delivery::Delivered { at_ms } if in_order(&[sent_ms, at_ms, now_ms()]) => Ok(at_ms),
            other => Err(Trouble::wrong(format!("A sees {other:?}"))),
        }
    })?;
    teller.tell("B acknowledged", || {
        let mut b = two.b.client()?.acting_as(&two.at_b);
        b.alert_acknowledge(alert, "Je passe à 14 h.").map(drop)
    })?;
    teller.tell("A sees it acknowledged, with the time", || {
        wait::until_seen("the acknowledgement at A", wait::LONG, || {
            let seen = delivery(two, circle, alert)?;
            let acknowledged = match seen {
                Delivery::Answered {
                    step: AlertStep::Acknowledge,
                    at_ms,
                } => in_order(&[delivered_ms, at_ms, now_ms()]),
                _ => false,
            };
            Ok((acknowledged.then_some(()), seen))
        })
        .map(drop)
    })?;
    let times = teller.tell("twenty more alerts appear at B's watch, one by one", || {
        let mut at_b = two.b.watch()?;
        let mut a = two.a.client()?.acting_as(&two.at_a);
        let mut times = Vec::new();
        for _ in 0..20 {
            let begun = Instant::now();
            let alert = a.alert_send(circle, TEXT)?.record;
            let told = at_b.until_recorded(alert)?;
            times.push(told.at.duration_since(begun));
        }
        Ok(times)
    })?;
    let mut times = times;
    times.sort_unstable();
    teller.figure(
        "an alert, from A's socket to B's watch",
        format!(
            "{} (median), {} (longest)",
            shown(times[10]),
            shown(times[19])
        ),
    );
    Ok(())
}

/// What A sees of an alert for B.
fn delivery(two: &Two, circle: CircleId, alert: RecordId) -> Result<Delivery, Trouble> {
    let view = two.a.client()?.acting_as(&two.at_a).circle_show(circle)?;
    let thing = view.things.into_iter().find(|thing| {
        let mut versions = thing.standing.iter();
        versions.any(|version| version.record == alert)
    });
    let alert = thing.and_then(|thing| thing.alert);
    let alert = alert.ok_or_else(|| Trouble::wrong("A does not show its own alert"))?;
    let b = two.b.node()?;
    let mut structures = alert.structures.into_iter();
    structures
        .find_map(|(node, _, delivery)| (node == b).then_some(delivery))
        .ok_or_else(|| Trouble::wrong("the alert does not name B"))
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

fn in_order(times_ms: &[u64]) -> bool {
    times_ms.is_sorted()
}
