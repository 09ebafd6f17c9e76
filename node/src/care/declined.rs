//! Declining an invitation, for a reason. The other side hears nothing: silence, refusal and « not known here » look alike there (protocol). The reason stays at this node, so
//! that colleagues know what was decided, by whom and why; who is meant by the invitation is not kept with it.

use maillon_protocol::{
    cbor,
    ids::{InvitationId, NodeId, ThingId},
};
use minicbor::{Decode, Encode};

use super::{Actor, Care, CareError, Category, audit};
use crate::{
    audit::{About, Object},
    store::{Range, Table},
};

/// What the keys begin with.
const KEY: &[u8] = b"declined";
/// For how long it is kept, milliseconds: thirty days.
const DECLINED_MS: u64 = 30 * 24 * 3_600_000;
/// Characters of the reason in words.
pub const DECLINE_WORDS: usize = 300;

/// Why somebody declines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum DeclineReason {
    /// They did not say.
    #[n(0)]
    Unsaid,
    /// The person is not known here.
    #[n(1)]
    Unknown,
    /// The structure does not follow the person, or does not any more.
    #[n(2)]
    NotFollowed,
    /// The person does not want it.
    #[n(3)]
    Refused,
    /// The structure cannot take part now.
    #[n(4)]
    Unable,
}

impl DeclineReason {
    /// As the trail says it.
    const fn word(self) -> &'static str {
        match self {
            Self::Unsaid => "unsaid",
            Self::Unknown => "unknown",
            Self::NotFollowed => "not-followed",
            Self::Refused => "refused",
            Self::Unable => "unable",
        }
    }
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Kept {
    #[n(0)]
    from: NodeId,
    #[n(1)]
    by: ThingId,
    #[n(2)]
    at_ms: u64,
    #[n(3)]
    why: DeclineReason,
    #[n(4)]
    words: String,
}

/// A row with its key; none where it cannot be read.
type KeyedRow = (Vec<u8>, Option<Kept>);

/// An invitation that was declined.
#[derive(Debug, Clone)]
pub struct Declined {
    /// Who had asked.
    pub structure: String,
    /// Who declined; none where they are here no more.
    pub by: Option<String>,
    /// When, Unix milliseconds.
    pub at_ms: u64,
    /// Why.
    pub why: DeclineReason,
    /// In words; may be empty.
    pub words: String,
}

impl Care {
    /// A person declines an invitation; nothing is sent.
    ///
    /// # Errors
    /// [`CareError::NotAllowed`], [`CareError::Letter`] where it does not wait, [`CareError::Text`] where the words are too many.
    pub async fn decline(
        &self,
        actor: &Actor,
        invitation: InvitationId,
        why: DeclineReason,
        words: &str,
    ) -> Result<(), CareError> {
        self.may_write(actor, &[Category::Administration])?;
        let words = words.trim().to_owned();
        if words.chars().count() > DECLINE_WORDS {
            return Err(CareError::Text("a reason has at most 300 characters"));
        }
        let namer = self.shared().rows().0.namer();
        let key = [KEY, &namer.name("declined", &[&invitation.0])[..]].concat();
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| {
                let open = tx.replica.open_invitations(tx.rows)?.received;
                let from = open.iter().find(|(id, _)| *id == invitation);
                let from = from.map(|(_, row)| row.from);
                tx.replica.decline(tx.rows, &invitation)?;
                if let Some(from) = from {
                    let row = Kept {
                        from,
                        by: actor.id,
                        at_ms: tx.now_ms,
                        why,
                        words,
                    };
                    tx.put(Table::Access, key, cbor::encode(&row));
                }
                let about = About::object(Object::Declined(invitation, why.word()));
                audit::note(tx, &actor, "invitation.decline", about)
            })
            .await?)
    }

    /// The invitations that were declined within thirty days, the newest first.
    ///
    /// # Errors
    /// [`CareError::NotReadable`].
    pub fn declined(&self, actor: &Actor, now_ms: u64) -> Result<Vec<Declined>, CareError> {
        self.may_read(actor, Category::Administration)?;
        let mut declined = Vec::new();
        for (_, row) in self.declined_rows()? {
            let Some(row) = row.filter(|row| lasts(row, now_ms)) else {
                continue;
            };
            declined.push(Declined {
                structure: self.structure_of(&row.from),
                by: self.actor_of(row.by)?.map(|one| one.professional.name),
                at_ms: row.at_ms,
                why: row.why,
                words: row.words,
            });
        }
        declined.sort_by_key(|one| std::cmp::Reverse(one.at_ms));
        Ok(declined)
    }

    /// The keys of those that are too old, or cannot be read.
    pub(super) fn declined_long_ago(&self, now_ms: u64) -> Result<Vec<Vec<u8>>, CareError> {
        let rows = self.declined_rows()?.into_iter();
        let old = rows.filter(|(_, row)| !row.as_ref().is_some_and(|row| lasts(row, now_ms)));
        Ok(old.map(|(key, _)| key).collect())
    }

    fn declined_rows(&self) -> Result<Vec<KeyedRow>, CareError> {
        let store = &self.shared().rows().0;
        let mut rows = Vec::new();
        for row in store.scan(Table::Access, KEY, Range::all())? {
            let (key, row) = row?;
            rows.push((key.into_vec(), cbor::decode(&row).ok()));
        }
        Ok(rows)
    }
}

fn lasts(row: &Kept, now_ms: u64) -> bool {
    now_ms < row.at_ms.saturating_add(DECLINED_MS)
}
