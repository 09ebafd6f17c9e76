//! The liaison notebook.

use maillon_protocol::{
    content::{Content, Kind, LiaisonNote, NoteKind},
    dossier::Thing,
    ids::{CircleId, ThingId},
    replica::Written,
};

use super::{Actor, Care, CareError, Category, NamedFile, fresh, read, write_one};

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
        self.add_note_with(actor, circle, note, None).await
    }

    /// Writes a note with a file that came for it: both or neither.
    ///
    /// # Errors
    /// Those of [`Self::add_note`]; the file is taken away then.
    pub async fn add_note_with(
        &self,
        actor: &Actor,
        circle: CircleId,
        note: NewNote,
        file: Option<NamedFile>,
    ) -> Result<Written, CareError> {
        if let Err(error) = self.may_note(actor, &circle, &note) {
            if let Some(file) = file {
                self.give_up(file.file).await;
            }
            return Err(error);
        }
        let actor = actor.clone();
        self.write_with(circle, file, false, move |tx, attachments| {
            let content = Content::LiaisonNote(LiaisonNote {
                note: note.kind,
                text: note.text,
                emergency: note.emergency,
                written_by: Vec::new(),
                attachments,
                withdrawn: String::new(),
            });
            let draft = fresh(&actor, content, note.answers);
            write_one(tx, &actor, circle, draft, "note.add")
        })
        .await
    }

    fn may_note(&self, actor: &Actor, circle: &CircleId, note: &NewNote) -> Result<(), CareError> {
        self.may_write_in(actor, circle, &[Category::Messages])?;
        check_text(&note.text)?;
        if let Some(answered) = &note.answers {
            let things = read::things(self.shared(), circle)?;
            let answered = things.get(answered).and_then(Thing::kind);
            if answered != Some(Kind::LiaisonNote as u64) {
                return Err(CareError::NoRecord);
            }
        }
        Ok(())
    }
}
