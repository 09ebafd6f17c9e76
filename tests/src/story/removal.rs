//! B is removed from one of the two circles.

use maillon_protocol::{admin::WatchEvent, ids::RecordId};

use super::{Stopped, Teller, World};
use crate::{
    daemon::{Client, Trouble, wait},
    sift::{Needle, Sieve},
};

const AFTER: &str = "Écrit après le retrait : compte rendu de la réunion de coordination de jeudi.";
const ELSEWHERE: &str =
    "Écrit ensuite dans l'autre cercle : le rendez-vous est confirmé pour lundi.";

pub(super) fn tell(teller: &mut Teller, world: &mut World) -> Result<(), Stopped> {
    let (two, circle, notebook) = (&world.two, world.circle, world.notebook);
    let mut at_b = two.b.watch().map_err(|_| Stopped)?;
    let sentence = "A removes B from one circle; what A writes there next never reaches B, what it writes in the other does";
    let (after, elsewhere) = teller.tell(sentence, || {
        let mut a = two.a.client()?.acting_as(&two.at_a);
        a.circle_remove(circle, two.b.node()?)?;
        let after = a.note_add(circle, AFTER)?.record;
        at_b.until("B learns of its removal", wait::LONG, |event| {
            matches!(event, WatchEvent::Charter { circle: named, member: false, .. } if *named == circle)
        })?;
        let elsewhere = a.note_add(notebook, ELSEWHERE)?.record;
        at_b.until_recorded(elsewhere)?;

        let mut b = two.b.client()?.acting_as(&two.at_b);
        if b.shows(after)? {
            return Err(Trouble::wrong("B shows it"));
        }
        let held = b.records(circle)?;
        if held.iter().any(|line| line.record == after) {
            return Err(Trouble::wrong("B holds it, unread"));
        }
        if held.is_empty() {
            return Err(Trouble::wrong("B lost what it had been given before"));
        }
        Ok((after, elsewhere))
    })?;
    let sentence = "its sealed bytes were handed to no stream of A or B; those of the other circle's note were";
    teller.tell(sentence, || {
        let mut a = two.a.client()?.acting_as(&two.at_a);
        let sieve = Sieve::new(&[
            Needle::bytes("withheld", &tail(&mut a, after)?),
            Needle::bytes("sent", &tail(&mut a, elsewhere)?),
        ]);
        let mut names = Vec::new();
        for tap in [two.a.tap(), two.b.tap()] {
            let found = sieve.path(&tap).map_err(Trouble::io("a tap"))?;
            names.extend(found.into_iter().map(|found| found.name));
        }
        match (
            names.iter().any(|name| name == "withheld"),
            names.is_empty(),
        ) {
            (true, _) => Err(Trouble::wrong("it was sent")),
            (false, true) => Err(Trouble::wrong("the tap shows neither, so it shows nothing")),
            (false, false) => Ok(()),
        }
    })?;
    let sentence = "given its sealed bytes by hand, B says: signature valid, epoch not granted";
    teller.tell(sentence, || {
        let mut a = two.a.client()?.acting_as(&two.at_a);
        let sealed = a.record_export(after)?.content;
        let verified = two.b.client()?.record_verify(&sealed)?;
        let right = verified.record == after
            && verified.signature
            && !verified.held
            && verified.body == "epoch not granted"
            && verified.node == two.a.node()?;
        if right {
            return Ok(());
        }
        Err(Trouble::wrong(format!("B says {verified:?}")))
    })
}

/// The end of a record's sealed body: bytes that stand nowhere else.
fn tail(a: &mut Client, record: RecordId) -> Result<Vec<u8>, Trouble> {
    let exported = a.record_export(record)?.content;
    let bytes = data_encoding::BASE64.decode(exported.as_bytes());
    let bytes = bytes.map_err(|error| Trouble::wrong(format!("an export: {error}")))?;
    Ok(bytes[bytes.len().saturating_sub(64)..].to_vec())
}
