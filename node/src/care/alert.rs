//! Alerts and the answers to them. Where an alert stands, and which answers are refused here, is one rule: `maillon_protocol::dossier::alert`.

use maillon_protocol::{
    content::{Alert, AlertAnswer, AlertStep, Content, LiaisonNote, NoteKind, Professional},
    ids::{CircleId, RecordId, ThingId},
    replica::Written,
};

use super::{
    Actor, Care, CareError, Category, NamedFile, fresh, names::Names, note::check_text, read,
    write_one,
};
use crate::{ledger::Tx, signs};

/// What the note says that names an alert's file.
const BESIDE: &str = "Pièce jointe à l’alerte.";
/// Bytes of a comment.
const COMMENT: usize = 4096;

impl Care {
    /// Sends an alert.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn send_alert(
        &self,
        actor: &Actor,
        circle: CircleId,
        alert: Alert,
    ) -> Result<Written, CareError> {
        self.send_alert_with(actor, circle, alert, None).await
    }

    /// Sends an alert with a file that came for it: both or neither. An alert names no files (an older node could not read one that did), so the file
    /// is named by a note that answers the alert, in the same commit: whoever reads the one reads the other.
    ///
    /// # Errors
    /// [`CareError`]; the file is taken away then.
    pub async fn send_alert_with(
        &self,
        actor: &Actor,
        circle: CircleId,
        alert: Alert,
        file: Option<NamedFile>,
    ) -> Result<Written, CareError> {
        let checked = self
            .may_write_in(actor, &circle, &[Category::Messages])
            .and_then(|()| check_text(&alert.text));
        if let Err(error) = checked {
            if let Some(file) = file {
                self.give_up(file.file).await;
            }
            return Err(error);
        }
        let actor = actor.clone();
        let alert = Alert {
            text: signs::written(&alert.text),
            ..alert
        };
        self.write_with(circle, file, true, move |tx, attachments| {
            let draft = fresh(&actor, Content::Alert(alert), None);
            let written = write_one(tx, &actor, circle, draft, "alert.send")?;
            if !attachments.is_empty() {
                let note = Content::LiaisonNote(LiaisonNote {
                    note: NoteKind::Observation,
                    text: BESIDE.to_owned(),
                    emergency: false,
                    written_by: Vec::new(),
                    attachments,
                    withdrawn: String::new(),
                });
                let draft = fresh(&actor, note, Some(written.thing));
                write_one(tx, &actor, circle, draft, "note.add")?;
            }
            Ok(written)
        })
        .await
    }

    /// Answers an alert of a person's file. Whoever may not write there is not told which alerts are in it.
    ///
    /// # Errors
    /// [`CareError::NoAlert`] where it is in no such file; those of [`Care::answer_alert`].
    pub async fn answer_alert_in(
        &self,
        actor: &Actor,
        circle: CircleId,
        alert: RecordId,
        step: AlertStep,
        comment: String,
    ) -> Result<Written, CareError> {
        self.may_write_in(actor, &circle, &[Category::Messages])?;
        let found = read::record(self.shared(), &alert)?;
        if found.is_none_or(|(held, _)| held.id() != circle) {
            return Err(CareError::NoAlert);
        }
        self.answer_alert(actor, alert, step, comment).await
    }

    /// Acknowledges, takes charge of or closes an alert.
    ///
    /// # Errors
    /// [`CareError::NoRecord`], [`CareError::NoAlert`]; [`CareError::Answered`] where it would say nothing new; those of writing.
    pub async fn answer_alert(
        &self,
        actor: &Actor,
        alert: RecordId,
        step: AlertStep,
        comment: String,
    ) -> Result<Written, CareError> {
        self.may_write(actor, &[Category::Messages])?;
        if comment.len() > COMMENT {
            return Err(CareError::Text(
                "the comment is longer than 4,096 bytes: write a note",
            ));
        }
        let comment = signs::written(&comment);
        if step == AlertStep::Close && signs::is_blank(&comment) {
            return Err(CareError::Text(
                "an alert is closed with its outcome in words: say it in the comment",
            ));
        }
        let (circle, opened) =
            read::opened(self.shared(), &alert)?.ok_or_else(|| super::no_record(&alert))?;
        self.may_open(actor, &circle)?;
        if !matches!(opened.content, Content::Alert(_)) {
            return Err(CareError::NoAlert);
        }
        let by_glass = matches!(self.in_team(actor, &circle), Err(CareError::NotInTeam));
        if by_glass
            && step != AlertStep::Acknowledge
            && same_person(&opened.envelope.author, &actor.professional)
        {
            // What was said of a broken glass is settled by the team, and not by whoever broke it.
            return Err(CareError::NotInTeam);
        }
        let thing = opened.envelope.thing;
        let answer = Content::AlertAnswer(AlertAnswer { step, comment });
        let draft = fresh(actor, answer, Some(thing));
        let (actor, names) = (actor.clone(), self.names());
        Ok(self
            .ledger
            .submit_first(move |tx| {
                // In the job that writes: of two commands at once, the second sees the first.
                says_something(tx, &names, &actor, circle, thing, step)?;
                write_one(tx, &actor, circle, draft, "alert.answer")
            })
            .await?)
    }
}

/// Refuses an answer after which nothing would be known that is not known here already.
fn says_something(
    tx: &Tx<'_>,
    names: &Names,
    actor: &Actor,
    circle: CircleId,
    alert: ThingId,
    step: AlertStep,
) -> Result<(), CareError> {
    let Some(entry) = tx.replica.alert(tx.rows, &circle, &alert)? else {
        return Ok(());
    };
    let author = |record: &RecordId| -> Result<Option<Professional>, CareError> {
        let opened = tx.replica.opened(tx.rows, &circle, record)?;
        Ok(opened.map(|opened| opened.envelope.author))
    };
    let said = entry.said_already(&tx.replica.own(), step, |record| {
        let author = author(record)?;
        Ok::<_, CareError>(author.is_some_and(|author| same_person(&author, &actor.professional)))
    })?;
    let Some(said) = said else {
        return Ok(());
    };
    Err(CareError::Answered {
        step: said.step,
        by: author(&said.record)?.map_or_else(|| "somebody".to_owned(), |author| author.name),
        structure: names.of(&said.node),
        at_ms: said.time.ms(),
    })
}

/// Whether two entries of one structure are the same person: by an identifier where both have one, otherwise by name and profession.
pub(super) fn same_person(one: &Professional, other: &Professional) -> bool {
    if one.identifiers.is_empty() && other.identifiers.is_empty() {
        let profession = |of: &Professional| of.profession.as_ref().map(|code| code.code.clone());
        return one.name == other.name && profession(one) == profession(other);
    }
    one.identifiers.iter().any(|identifier| {
        let mut others = other.identifiers.iter();
        others.any(|found| found.system == identifier.system && found.value == identifier.value)
    })
}

#[cfg(test)]
mod tests {
    use maillon_protocol::content::{Identifier, IdentifierSystem, Structure};

    use super::*;

    fn somebody(name: &str, rpps: &str) -> Professional {
        let identifier = Identifier {
            system: IdentifierSystem::Rpps,
            value: rpps.to_owned(),
        };
        Professional {
            name: name.to_owned(),
            identifiers: (!rpps.is_empty())
                .then_some(identifier)
                .into_iter()
                .collect(),
            profession: None,
            structure: Structure {
                name: String::new(),
                identifiers: Vec::new(),
            },
        }
    }

    #[test]
    fn a_person_is_known_by_their_number_and_by_their_name_only_where_there_is_none() {
        let anne = somebody("Anne Morel", "10999001018");
        assert!(same_person(&anne, &somebody("A. Morel", "10999001018")));
        assert!(!same_person(&anne, &somebody("Anne Morel", "10999001026")));
        assert!(!same_person(&anne, &somebody("Anne Morel", "")));
        let paul = somebody("Paul Roux", "");
        assert!(same_person(&paul, &paul) && !same_person(&paul, &somebody("Paul Riou", "")));
    }
}
