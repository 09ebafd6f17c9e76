//! The liaison notebook.

use maillon_protocol::{
    content::{Content, LiaisonNote, NoteKind},
    ids::CircleId,
    replica::Written,
};

use super::{Actor, Care, CareError, Category, fresh, write_one};

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

impl Care {
    /// Writes a note.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn add_note(
        &self,
        actor: &Actor,
        circle: CircleId,
        note: NoteKind,
        text: String,
        emergency: bool,
    ) -> Result<Written, CareError> {
        self.may_write(actor, &[Category::Messages])?;
        check_text(&text)?;
        let content = Content::LiaisonNote(LiaisonNote {
            note,
            text,
            emergency,
            written_by: Vec::new(),
            attachments: Vec::new(),
            withdrawn: String::new(),
        });
        let draft = fresh(actor, content, None);
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| write_one(tx, &actor, circle, draft, "note.add"))
            .await?)
    }
}
