//! The liaison notebook.

use maillon_protocol::{
    content::{Content, Kind, LiaisonNote, NoteKind},
    dossier::Thing,
    ids::{CircleId, ThingId},
    replica::Written,
};

use super::{Actor, Care, CareError, Category, fresh, read, write_one};

/// Bytes of a text that somebody writes: what a body holds, with room for the rest.
const TEXT: usize = 64 << 10;

/// Checks a text that somebody wrote.
pub(super) fn check_text(text: &str) -> Result<(), CareError> {
    if text.trim().is_empty() {
        return Err(CareError::Text(
            "the text is empty: write what there is to say",
        ));
    }
    if text.len() > TEXT {
        return Err(CareError::Text(
            "the text is longer than 65,536 bytes: attach it as a document",
        ));
    }
    Ok(())
}

/// A note that somebody writes.
#[derive(Debug, Clone)]
pub struct NewNote {
    /// Which kind.
    pub kind: NoteKind,
    /// What it says.
    pub text: String,
    /// Whether it is an emergency.
    pub emergency: bool,
    /// The note that it answers.
    pub answers: Option<ThingId>,
}

impl Care {
    /// Writes a note.
    ///
    /// # Errors
    /// [`CareError`]; [`CareError::NoRecord`] where it answers what is no note of this circle.
    pub async fn add_note(
        &self,
        actor: &Actor,
        circle: CircleId,
        note: NewNote,
    ) -> Result<Written, CareError> {
        self.may_write_in(actor, &circle, &[Category::Messages])?;
        check_text(&note.text)?;
        if let Some(answered) = &note.answers {
            let things = read::things(self.shared(), &circle)?;
            let answered = things.get(answered).and_then(Thing::kind);
            if answered != Some(Kind::LiaisonNote as u64) {
                return Err(CareError::NoRecord);
            }
        }
        let content = Content::LiaisonNote(LiaisonNote {
            note: note.kind,
            text: note.text,
            emergency: note.emergency,
            written_by: Vec::new(),
            attachments: Vec::new(),
            withdrawn: String::new(),
        });
        let draft = fresh(actor, content, note.answers);
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| write_one(tx, &actor, circle, draft, "note.add"))
            .await?)
    }
}
