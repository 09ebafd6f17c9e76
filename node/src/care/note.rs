//! The liaison notebook.

use maillon_protocol::{
    content::{Content, Kind, LiaisonNote, NoteKind, Professional},
    dossier::Thing,
    ids::{CircleId, ThingId},
    replica::Written,
};

use super::{Actor, Care, CareError, Category, NamedFile, fresh, read, write_one};
use crate::signs;

/// Bytes of a text that somebody writes: what a body holds, with room for the rest.
const TEXT: usize = 64 << 10;

/// What notes answer.
const ANSWERED: [u64; 2] = [Kind::LiaisonNote as u64, Kind::Alert as u64];

/// Checks a text that somebody wrote.
pub(super) fn check_text(text: &str) -> Result<(), CareError> {
    if signs::is_blank(text) {
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
    /// The note or the alert that it answers.
    pub answers: Option<ThingId>,
}

/// What a note answers, as the form for it shows it.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Whether it is an alert, and no note.
    pub alert: bool,
    /// What it says.
    pub text: String,
    /// Who wrote it.
    pub by: Professional,
    /// When, Unix milliseconds.
    pub at_ms: u64,
}

impl Care {
    /// The note or the alert that somebody answers, for whoever opens the form: they say so in the trail. None where it stands no more.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`], [`CareError::NotReadable`].
    pub fn answered(
        &self,
        actor: &Actor,
        circle: &CircleId,
        thing: &ThingId,
    ) -> Result<Option<Answered>, CareError> {
        self.may_open(actor, circle)?;
        self.may_read(actor, Category::Messages)?;
        let Some(held) = read::thing(self.shared(), circle, thing)? else {
            return Ok(None);
        };
        let Some(newest) = read::standing(&held).into_iter().next() else {
            return Ok(None);
        };
        let Some((_, opened)) = read::opened(self.shared(), &newest.record)? else {
            return Ok(None);
        };
        let (alert, text) = match opened.content {
            Content::LiaisonNote(note) if note.withdrawn.is_empty() => (false, note.text),
            Content::Alert(alert) => (true, alert.text),
            _ => return Ok(None),
        };
        let mut by = opened.envelope.author;
        if newest.node != self.shared().own() {
            // A record says of its author's structure what it likes; the log says which node wrote it.
            by.structure.name = self.structure_of(&newest.node);
        }
        Ok(Some(Answered {
            alert,
            text,
            by,
            at_ms: newest.time.ms(),
        }))
    }

    /// Goes on where somebody may write notes and alerts in a file.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`], [`CareError::NotAllowed`].
    pub fn may_tell(&self, actor: &Actor, circle: &CircleId) -> Result<(), CareError> {
        self.may_write_in(actor, circle, &[Category::Messages])
    }

    /// Writes a note.
    ///
    /// # Errors
    /// [`CareError`]; [`CareError::NoRecord`] where it answers what is no note and no alert of this circle.
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
                text: signs::written(&note.text),
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
            let answered = read::thing(self.shared(), circle, answered)?;
            let kind = answered.as_ref().and_then(Thing::kind);
            if !kind.is_some_and(|kind| ANSWERED.contains(&kind)) {
                return Err(CareError::NoRecord);
            }
        }
        Ok(())
    }
}
