//! Correcting a note, and taking it or a document back: by a new version that says so, in the place of the one before, which stays in the file and is shown no more. Only
//! whoever wrote it does that, at the node where they wrote it.

use std::collections::BTreeSet;

use maillon_protocol::{
    admin::CircleView,
    content::{Content, Document, LiaisonNote, NoteKind, Professional},
    ids::{CircleId, NodeId, RecordId},
    replica::{Draft, Written},
};

use super::{
    Actor, Care, CareError, Category, fresh, note::check_text, read, team::Mark, write_one,
};
use crate::signs;

/// What becomes of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amendment {
    /// It says something else.
    Corrected {
        /// Which kind it is.
        kind: NoteKind,
        /// What it says.
        text: String,
        /// Whether it is an emergency.
        emergency: bool,
        /// Which of its files it names no more, from 0.
        without: BTreeSet<usize>,
    },
    /// It is taken back, for this reason. It stays to be seen as such.
    Withdrawn(String),
}

impl Care {
    /// Whether somebody wrote this themselves: here, with an identifier of theirs. Whoever has none is known by all that the record says of them.
    pub(super) fn is_own(&self, actor: &Actor, node: &NodeId, author: &Professional) -> bool {
        let marks = Mark::of(author);
        let same = match marks.is_empty() {
            true => *author == actor.professional,
            false => Mark::all_of(actor).iter().any(|mark| marks.contains(mark)),
        };
        *node == self.shared().own() && same
    }

    /// The notes and documents in a view that the reader wrote and that stand.
    pub(super) fn own_among(&self, actor: &Actor, view: &CircleView) -> BTreeSet<RecordId> {
        let standing = view.things.iter().flat_map(|thing| &thing.standing);
        standing
            .filter(|one| match &one.content {
                Content::LiaisonNote(note) => note.withdrawn.is_empty(),
                Content::Document(document) => document.withdrawn.is_empty(),
                _ => false,
            })
            .filter(|one| self.is_own(actor, &one.node, &one.author))
            .map(|one| one.record)
            .collect()
    }

    /// A note as its writer may correct it; none where it is somebody else's, or stands no more.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`], [`CareError::NotAllowed`], [`CareError::NoRecord`] where this is no note of the circle.
    pub fn note_to_amend(
        &self,
        actor: &Actor,
        circle: &CircleId,
        record: &RecordId,
    ) -> Result<Option<LiaisonNote>, CareError> {
        self.may_write_in(actor, circle, &[Category::Messages])?;
        match self.own_content(actor, circle, record)? {
            Some((_, Content::LiaisonNote(note))) => Ok(Some(note)),
            Some(_) => Err(CareError::NoRecord),
            None => Ok(None),
        }
    }

    /// A document as its writer may take it back; none where it is somebody else's, or stands no more.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`], [`CareError::NotAllowed`], [`CareError::NoRecord`] where this is no document of the circle.
    pub fn document_to_withdraw(
        &self,
        actor: &Actor,
        circle: &CircleId,
        record: &RecordId,
    ) -> Result<Option<Document>, CareError> {
        self.may_write_in(actor, circle, &[Category::Documents])?;
        match self.own_content(actor, circle, record)? {
            Some((_, Content::Document(document))) => Ok(Some(document)),
            Some(_) => Err(CareError::NoRecord),
            None => Ok(None),
        }
    }

    /// A note or a document that somebody wrote themselves and that stands, and what a version of it in its place begins with.
    fn own_content(
        &self,
        actor: &Actor,
        circle: &CircleId,
        record: &RecordId,
    ) -> Result<Option<(Draft, Content)>, CareError> {
        let (found, held) = read::record(self.shared(), record)?.ok_or(CareError::NoRecord)?;
        let opened = read::opened(self.shared(), record)?;
        let (_, opened) = opened.ok_or(CareError::NoRecord)?;
        let withdrawn = match &opened.content {
            Content::LiaisonNote(note) => &note.withdrawn,
            Content::Document(document) => &document.withdrawn,
            _ => return Err(CareError::NoRecord),
        };
        if found.id() != *circle {
            return Err(CareError::NoRecord);
        }
        let thing = opened.envelope.thing;
        let all = read::things(self.shared(), circle)?;
        let stands = all.get(&thing).ok_or(CareError::NoRecord)?;
        let node = held.header.object.log.node;
        let standing = read::standing(stands);
        let newest = standing.iter().any(|version| version.record == *record);
        if !newest || !withdrawn.is_empty() || !self.is_own(actor, &node, &opened.envelope.author) {
            return Ok(None);
        }
        let draft = Draft {
            thing: Some(thing),
            parent: stands.parent.first().copied(),
            supersedes: standing.iter().map(|version| version.record).collect(),
            occurred_ms: opened.envelope.occurred_ms,
            ..fresh(actor, opened.content.clone(), None)
        };
        Ok(Some((draft, opened.content)))
    }

    /// Corrects a note of one's own, or takes it back.
    ///
    /// # Errors
    /// [`CareError::Amended`] where it stands no more as it was seen, or is somebody else's; [`CareError::Text`]; those of writing.
    pub async fn amend_note(
        &self,
        actor: &Actor,
        circle: CircleId,
        record: RecordId,
        amendment: Amendment,
    ) -> Result<Written, CareError> {
        self.may_write_in(actor, &circle, &[Category::Messages])?;
        // Looked at and written in one turn: of two clicks the second finds another version.
        let _one = self.once.lock().await;
        let own = self.own_content(actor, &circle, &record)?;
        let Some((mut draft, Content::LiaisonNote(mut note))) = own else {
            return Err(CareError::Amended);
        };
        let action = match amendment {
            Amendment::Corrected {
                kind,
                text,
                emergency,
                without,
            } => {
                check_text(&text)?;
                let mut places = 0..;
                note.attachments
                    .retain(|_| !places.next().is_some_and(|place| without.contains(&place)));
                (note.note, note.emergency) = (kind, emergency);
                note.text = signs::written(&text);
                "note.correct"
            }
            Amendment::Withdrawn(reason) => {
                check_text(&reason)?;
                note.withdrawn = signs::written(&reason);
                "note.withdraw"
            }
        };
        draft.content = Content::LiaisonNote(note);
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| write_one(tx, &actor, circle, draft, action))
            .await?)
    }

    /// Takes a document of one's own back: it stays to be seen as such, with the reason.
    ///
    /// # Errors
    /// Those of [`amend_note`](Self::amend_note).
    pub async fn withdraw_document(
        &self,
        actor: &Actor,
        circle: CircleId,
        record: RecordId,
        reason: &str,
    ) -> Result<Written, CareError> {
        self.may_write_in(actor, &circle, &[Category::Documents])?;
        check_text(reason)?;
        let _one = self.once.lock().await;
        let own = self.own_content(actor, &circle, &record)?;
        let Some((mut draft, Content::Document(mut document))) = own else {
            return Err(CareError::Amended);
        };
        document.withdrawn = signs::written(reason);
        draft.content = Content::Document(document);
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| write_one(tx, &actor, circle, draft, "document.withdraw"))
            .await?)
    }
}
