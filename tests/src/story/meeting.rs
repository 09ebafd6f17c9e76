//! Two nodes start, meet, and share what one of them imported.

use std::path::Path;

use maillon_protocol::{
    admin::Imported,
    content::{Content, IdentityStatus, LiaisonNote},
    ids::CircleId,
};

use super::{Stopped, Teller, World};
use crate::{
    daemon::{Daemon, Settings, Trouble, Two, admit, pair, professional, wait},
    examples::Examples,
};

pub(super) fn tell(teller: &mut Teller, root: &Path) -> Result<World, Stopped> {
    let tapped = |mut settings: Settings| {
        settings.tap = true;
        settings
    };
    let (a, b) = teller.tell("two nodes start from empty folders", || {
        let a = empty(Daemon::new(root, tapped(Settings::dac()))?)?;
        let b = empty(Daemon::new(root, tapped(Settings::cpts()))?)?;
        Ok((a, b))
    })?;
    let sentence = "A and B pair by an invitation's text, and both show the same five words";
    teller.tell_with(sentence, || Ok(((), pair(&a, &b)?)))?;
    let c = teller.tell("C starts and pairs with A; nobody will invite it", || {
        let c = Daemon::new(root, tapped(Settings::hospital()))?;
        pair(&a, &c)?;
        Ok(c)
    })?;
    let two = teller.tell("a professional is added at A and at B", || {
        let at_a = professional(&a, "Claire Vasseur", "10999001018", "60")?;
        let at_b = professional(&b, "Yann Le Goff", "10999001026", "10")?;
        Ok(Two { a, b, at_a, at_b })
    })?;
    let examples = teller.tell_with("the examples are at hand", || {
        let examples = Examples::load()?;
        let whose = if examples.published {
            "published"
        } else {
            "our own"
        };
        Ok((examples, whose.to_owned()))
    })?;
    let circle = teller.tell_with("A imports a care circle", || {
        import(&two, &examples.circle, examples.published)
    })?;
    let notebook = teller.tell_with("A imports a liaison note, of another person", || {
        let (notebook, detail) = import(&two, &examples.note, examples.published)?;
        if notebook == circle {
            return Err(Trouble::wrong("the two people were merged into one circle"));
        }
        Ok((notebook, detail))
    })?;
    teller.tell("the same file again changes nothing", || {
        let mut a = two.a.client()?.acting_as(&two.at_a);
        let before = a.status()?.records;
        let again = a.import(&examples.note)?;
        let after = a.status()?.records;
        if again.unchanged && before == after {
            return Ok(());
        }
        Err(Trouble::wrong(format!(
            "unchanged: {}, records before and after: {before}, {after}",
            again.unchanged
        )))
    })?;
    teller.tell_with("inviting B without recorded consent is refused", || {
        let mut a = two.a.client()?.acting_as(&two.at_a);
        match a.circle_invite(circle, two.b.node()?) {
            Ok(_) => Err(Trouble::wrong("it was not")),
            Err(Trouble::Refused(error)) => Ok(((), format!("{:?}", error.code))),
            Err(other) => Err(other),
        }
    })?;
    teller.tell("consent is recorded in both circles", || {
        let mut a = two.a.client()?.acting_as(&two.at_a);
        a.consent_given(circle)?;
        a.consent_given(notebook)?;
        Ok(())
    })?;
    teller.tell(
        "A invites B to both circles, and B accepts each as a new person",
        || {
            admit(&two, circle)?;
            admit(&two, notebook)
        },
    )?;
    teller.tell_with("B reads the note, its author and its kind", || {
        let note = note_at_b(&two, notebook)?;
        let author = note.written_by.first().map(|author| author.name.clone());
        let author = author.unwrap_or_default();
        let right = note.text.trim() == examples.text.trim()
            && note.note == examples.kind
            && author
                .to_lowercase()
                .contains(&examples.author.to_lowercase());
        if right {
            return Ok(((), format!("{:?} by {author}", note.note)));
        }
        Err(Trouble::wrong(format!(
            "the note is another: kind {:?}, author {author:?}, {} letters",
            note.note,
            note.text.chars().count()
        )))
    })?;
    Ok(World {
        two,
        c,
        circle,
        notebook,
        examples,
    })
}

fn empty(daemon: Daemon) -> Result<Daemon, Trouble> {
    let status = daemon.client()?.status()?;
    if status.circles == 0 && status.records == 0 && status.peers.is_empty() {
        return Ok(daemon);
    }
    Err(Trouble::wrong("a new node holds something already"))
}

/// Imports a bundle that opens one circle.
fn import(two: &Two, file: &[u8], published: bool) -> Result<(CircleId, String), Trouble> {
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let imported: Imported = a.import(file)?;
    let [circle] = imported.circles.as_slice() else {
        return Err(Trouble::wrong(format!(
            "{} circles from one bundle",
            imported.circles.len()
        )));
    };
    if !circle.opened || circle.records.is_empty() {
        return Err(Trouble::wrong("the bundle opened no circle with records"));
    }
    // The published people carry an INS with a wrong key, which counts for nothing.
    if published && circle.status != IdentityStatus::Provisional {
        return Err(Trouble::wrong(format!(
            "an INS with a wrong key gave the status {:?}",
            circle.status
        )));
    }
    let detail = format!(
        "{} records, {} paths mapped, {} kept, {} refused",
        circle.records.len(),
        imported.mapped.len(),
        imported.kept.len(),
        imported.refused.len()
    );
    Ok((circle.circle, detail))
}

fn note_at_b(two: &Two, notebook: CircleId) -> Result<LiaisonNote, Trouble> {
    let mut b = two.b.client()?.acting_as(&two.at_b);
    wait::until("the note at B", wait::LONG, || {
        let view = b.circle_show(notebook)?;
        let notes = view.things.into_iter().flat_map(|thing| thing.standing);
        Ok(notes
            .filter_map(|version| match version.content {
                Content::LiaisonNote(note) => Some(note),
                _ => None,
            })
            .next())
    })
}
