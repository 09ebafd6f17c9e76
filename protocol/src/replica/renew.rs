//! What is written again so that a new member can read it.
//!
//! Whoever is admitted without the whole past would not even know whose file it is, nor that the person agreed to share it. So each node,
//! once it knows of an admission, writes again what it wrote itself, still stands, and the new member may not read:
//!
//! - the person's identity and their answer about sharing, of which the invitation said as much;
//! - everything that was written *beside* the admission, by nodes that did not know of it yet: the new member has the headers and may not read
//!   the bodies, which are sealed for an epoch before it came.
//!
//! The steward does so for the identity that a structure wrote which has left since. A version that is written again supersedes the one
//! before, keeps its author and its date, and says the same.

use rand_core::CryptoRng;

use super::{
    Draft, Location, Replica, Row, RowPrefix, Rows, StorageError, WriteFailed, Written,
    project::read_record, rows::read,
};
use crate::{
    charter::{Grant, Start},
    circle::Circle,
    content::Kind,
    dossier::{Standing, Thing, Version},
    ids::{CircleId, NodeId, ThingId},
};

impl Replica {
    /// Writes again what members lack. Nothing where nobody lacks anything, and nothing where this node cannot write now (the circle's newest
    /// secret has not come, the circle is closed): the next change of the charter or of the secrets asks again.
    ///
    /// # Errors
    /// [`StorageError`].
    pub(super) fn renew(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Written>, StorageError> {
        let Some(circle) = self.circles.get(id).cloned() else {
            return Ok(Vec::new());
        };
        let members = circle.charter.state().members.iter();
        let partly: Vec<NodeId> = members
            .filter(|member| member.grant != Grant::Whole && member.node != self.own())
            .map(|member| member.node)
            .filter(|member| self.reads_what_comes(&circle, member))
            .collect();
        if partly.is_empty() || !circle.charter.is_member(&self.own()) {
            return Ok(Vec::new());
        }
        let mut drafts = Vec::new();
        for bytes in self.over(rows).scan(&RowPrefix::Things(*id))? {
            let (thing, held): (ThingId, Thing) = read(&bytes)?;
            let standing = match held.standing() {
                Standing::Nothing => Vec::new(),
                Standing::One(one) => vec![one],
                Standing::Conflict(several) => several,
            };
            for version in standing {
                if self.is_ours_to_renew(&circle, version) {
                    drafts.extend(self.renewal(rows, &circle, thing, version, &partly)?);
                }
            }
        }
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        match self.write(rows, id, drafts, now_ms, rng) {
            Ok(written) => Ok(written),
            Err(WriteFailed::Storage(error)) => Err(error),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// Whether a member may read the next record of this node. Not so where its admit entry says that this log starts for it far ahead: writing
    /// again would give it nothing, and would be asked for again with each entry.
    fn reads_what_comes(&self, circle: &Circle, member: &NodeId) -> bool {
        let (charter, log) = (&circle.charter, self.own_log());
        let next = circle.logs.get(&log).map_or(1, |tip| tip.height + 1);
        let has_header = match charter.start_for(member, &log) {
            Some(Start::Sequence(first)) => first <= next,
            Some(Start::Entry(first)) => first <= charter.number(),
            None => false,
        };
        has_header && charter.is_granted(member, charter.state().epoch.number)
    }

    fn is_ours_to_renew(&self, circle: &Circle, version: &Version) -> bool {
        let orphaned = version.kind == Kind::PatientIdentity as u64
            && circle.charter.state().steward == self.own()
            && !circle.charter.is_member(&version.node);
        version.node == self.own() || orphaned
    }

    /// The version again, where one of these members may not read it and should.
    fn renewal(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        thing: ThingId,
        version: &Version,
        partly: &[NodeId],
    ) -> Result<Option<Draft>, StorageError> {
        let Some(place) = self.read_row::<Location>(rows, &Row::Place(version.record))? else {
            return Ok(None);
        };
        let row = Row::Record(circle.id(), place.log, place.sequence);
        let Some(bytes) = self.row(rows, &row)? else {
            return Ok(None);
        };
        let record = read_record(&bytes)?;
        let epoch = circle.charter.epoch_of(record.header.object.entry);
        let always =
            version.kind == Kind::PatientIdentity as u64 || version.kind == Kind::Consent as u64;
        let lacks = |member: &NodeId| {
            let first = (circle.logs.get(&place.log))
                .and_then(|tip| tip.first_for(member, &self.own(), &place.log, &circle.charter));
            let has_header = first.is_some_and(|first| first <= place.sequence);
            let may_read =
                epoch.is_some_and(|(number, _)| circle.charter.is_granted(member, number));
            if always {
                !(has_header && may_read)
            } else {
                has_header && !may_read
            }
        };
        if !partly.iter().any(lacks) {
            return Ok(None);
        }
        let Ok(opened) = circle.read(&record) else {
            return Ok(None);
        };
        if opened.content.payload().is_none() {
            return Ok(None);
        }
        Ok(Some(Draft {
            thing: Some(thing),
            parent: opened.envelope.parent,
            supersedes: vec![version.record],
            author: opened.envelope.author,
            occurred_ms: opened.envelope.occurred_ms,
            content: opened.content,
        }))
    }
}
