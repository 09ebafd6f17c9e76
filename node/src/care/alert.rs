//! Alerts and the answers to them. Where an alert stands, and which answers are refused here, is one rule: `maillon_protocol::dossier::alert`.

use maillon_protocol::{
    content::{Alert, AlertAnswer, AlertStep, Content, Professional},
    ids::{CircleId, RecordId, ThingId},
    replica::Written,
};

use super::{
    Actor, Care, CareError, Category, fresh, names::Names, note::check_text, read, write_one,
};
use crate::ledger::Tx;

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
        self.may_write_in(actor, &circle, &[Category::Messages])?;
        check_text(&alert.text)?;
        let draft = fresh(actor, Content::Alert(alert), None);
        let actor = actor.clone();
        Ok(self
            .ledger
            .submit_first(move |tx| write_one(tx, &actor, circle, draft, "alert.send"))
            .await?)
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
        if step == AlertStep::Close && comment.trim().is_empty() {
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
fn same_person(one: &Professional, other: &Professional) -> bool {
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
