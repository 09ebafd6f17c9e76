//! What somebody keeps for themselves at this node, sealed: texts that they are writing (`unsent`), what they have seen of a file (`seen`), the files that they look
//! for first (`favourites`). It is nobody else's, in no file, goes to no other node, and nothing of it stands in the trail.

use maillon_protocol::{
    cbor,
    ids::{CircleId, LogId, RecordId, ThingId},
};

use super::{Actor, Care, CareError};
use crate::store::{Range, Table};

/// A row about a file: whose it is about, and what was seen of it.
pub(super) type AboutFile = (CircleId, Vec<(LogId, u64)>);
/// The same, with the notes among it that were on no page.
pub(super) type SeenOfFile = (CircleId, Vec<(LogId, u64)>, Vec<(ThingId, RecordId)>);

/// The kinds of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Own {
    /// A text that somebody is writing.
    Unsent,
    /// What somebody has seen of a file.
    Seen,
    /// That somebody looks for a file first.
    Favourite,
}

impl Own {
    /// What the keys of a kind begin with, and what their names are made under.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Unsent => "unsent",
            Self::Seen => "seen",
            Self::Favourite => "favourite",
        }
    }
}

impl Care {
    /// What the keys of one person begin with.
    pub(super) fn own_of(&self, kind: Own, actor: &Actor) -> Vec<u8> {
        let namer = self.shared().rows().0.namer();
        let name = namer.name(kind.word(), &[&actor.id.0]);
        [kind.word().as_bytes(), &name[..]].concat()
    }

    /// The key of what one person keeps about a file; `part` where there are several.
    pub(super) fn own_key(
        &self,
        kind: Own,
        actor: &Actor,
        circle: &CircleId,
        part: &[u8],
    ) -> Vec<u8> {
        let namer = self.shared().rows().0.namer();
        let name = namer.name(kind.word(), &[&actor.id.0, &circle.0, part]);
        [&self.own_of(kind, actor)[..], &name[..]].concat()
    }

    /// Drops what people keep about files that are here no more, what they decided about them, and why they declined long ago. How much there was.
    pub(super) async fn sweep_left_behind(&self, now_ms: u64) -> Result<usize, CareError> {
        let store = &self.shared().rows().0;
        let mut left = self.apart_left_behind()?;
        left.extend(self.declined_long_ago(now_ms)?);
        for kind in [Own::Seen, Own::Favourite] {
            let rows = store.scan(Table::Access, kind.word().as_bytes(), Range::all())?;
            for row in rows {
                let (key, row) = row?;
                // Each begins with whose file it is about. One that cannot be read is of no use to anybody.
                let about = match cbor::decode::<SeenOfFile>(&row) {
                    Ok((circle, ..)) => Ok(circle),
                    Err(_) => cbor::decode::<AboutFile>(&row).map(|(circle, _)| circle),
                };
                if about.is_ok_and(|circle| self.shared().circle(&circle).is_some()) {
                    continue;
                }
                left.push(key.into_vec());
            }
        }
        let count = left.len();
        if count > 0 {
            self.ledger
                .run(move |tx| {
                    for key in left {
                        tx.delete(Table::Access, key);
                    }
                    Ok::<_, CareError>(())
                })
                .await?;
        }
        Ok(count)
    }
}
