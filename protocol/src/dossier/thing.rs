//! One thing and its versions.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use crate::{
    content::{Facts, Kind},
    ids::{NodeId, RecordId, ThingId},
    record::Header,
    time::Timestamp,
};

/// One version of a thing: a record, without its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Version {
    /// The record.
    #[n(0)]
    pub record: RecordId,
    /// The writer's hybrid clock: how versions are ordered when they are shown.
    #[n(1)]
    pub time: Timestamp,
    /// The node that wrote it.
    #[n(2)]
    pub node: NodeId,
    /// Number of the content's kind.
    #[n(3)]
    pub kind: u64,
    /// [`Content::code`](crate::content::Content::code).
    #[n(4)]
    pub code: u64,
    /// When it happened, Unix milliseconds.
    #[n(5)]
    pub occurred_ms: u64,
    /// The versions that it supersedes.
    #[n(6)]
    pub supersedes: Vec<RecordId>,
    /// Its node was removed, and this lies beyond what the removal lets count: it was shown before that was known and stays so, contested.
    #[n(7)]
    pub after_removal: bool,
}

/// What stands of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing<'a> {
    /// Nothing yet: only others that name it as their parent have arrived.
    Nothing,
    /// One version: the value.
    One(&'a Version),
    /// Several versions that do not know of each other, newest first.
    Conflict(Vec<&'a Version>),
}

/// A thing: all its versions, and what names it as its parent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub struct Thing {
    /// What it belongs to.
    #[n(0)]
    pub parent: BTreeSet<ThingId>,
    /// Its versions.
    #[n(1)]
    pub versions: BTreeSet<Version>,
    /// The things that belong to it.
    #[n(2)]
    pub children: BTreeSet<ThingId>,
}

impl Version {
    /// The version that a record makes, whether its body is here or erased.
    pub fn of(record: RecordId, header: &Header, facts: Facts) -> Self {
        Self {
            record,
            time: header.time,
            node: header.log.node,
            kind: facts.kind,
            code: facts.code,
            occurred_ms: facts.occurred_ms,
            supersedes: facts.supersedes,
            after_removal: false,
        }
    }
}

/// Who may write a new version of what another node wrote.
///
/// What somebody said or decided is theirs: only their node may correct or withdraw it. The patient's identity, the team and its terms belong to
/// the circle. So does the answer about sharing: it is the person's, whichever structure writes it down, and their next answer to another
/// structure follows it.
fn is_everybodys(kind: u64) -> bool {
    matches!(
        Kind::from_number(kind),
        Some(Kind::PatientIdentity | Kind::Consent | Kind::CareTeam | Kind::Participation)
    )
}

impl Thing {
    /// Adds a version. Adding the same one twice, or several in another order, gives the same thing.
    pub fn add(&mut self, version: Version, parent: Option<ThingId>) {
        self.parent.extend(parent);
        self.versions.insert(version);
    }

    /// Whether some version is of this kind.
    pub fn has(&self, kind: Kind) -> bool {
        let mut versions = self.versions.iter();
        versions.any(|version| version.kind == kind as u64)
    }

    /// Marks the versions whose records a removal no longer lets count.
    pub fn mark_after_removal(&mut self, counts: impl Fn(&RecordId) -> bool) {
        self.versions = std::mem::take(&mut self.versions)
            .into_iter()
            .map(|version| Version {
                after_removal: version.after_removal || !counts(&version.record),
                ..version
            })
            .collect();
    }

    /// The first version: the one from which the others descend. By clock, then by id, among those that supersede nothing.
    pub fn first(&self) -> Option<&Version> {
        self.versions
            .iter()
            .filter(|version| version.supersedes.is_empty())
            .min_by_key(|version| (version.time, version.record))
            .or_else(|| {
                self.versions
                    .iter()
                    .min_by_key(|version| (version.time, version.record))
            })
    }

    /// Records of the versions that their authors had no right to write, and of those that build on them.
    fn contested_records(&self) -> BTreeSet<RecordId> {
        let by_record: BTreeMap<RecordId, &Version> = self
            .versions
            .iter()
            .map(|version| (version.record, version))
            .collect();
        let mut contested: BTreeSet<RecordId> = self
            .versions
            .iter()
            .filter(|version| version.after_removal)
            .map(|version| version.record)
            .collect();
        loop {
            let more: Vec<RecordId> = self
                .versions
                .iter()
                .filter(|version| {
                    !is_everybodys(version.kind) && !contested.contains(&version.record)
                })
                .filter(|version| {
                    version.supersedes.iter().any(|older| {
                        contested.contains(older)
                            || by_record
                                .get(older)
                                .is_some_and(|held| held.node != version.node)
                    })
                })
                .map(|version| version.record)
                .collect();
            if more.is_empty() {
                return contested;
            }
            contested.extend(more);
        }
    }

    /// What stands.
    pub fn standing(&self) -> Standing<'_> {
        let contested = self.contested_records();
        let superseded: BTreeSet<RecordId> = self
            .versions
            .iter()
            .filter(|version| !contested.contains(&version.record))
            .flat_map(|version| {
                version
                    .supersedes
                    .iter()
                    .copied()
                    .filter(|older| *older != version.record)
            })
            .collect();
        let mut left: Vec<&Version> = self
            .versions
            .iter()
            .filter(|version| {
                !superseded.contains(&version.record) && !contested.contains(&version.record)
            })
            .collect();
        left.sort_by_key(|version| std::cmp::Reverse((version.time, version.record)));
        match left.as_slice() {
            [] => Standing::Nothing,
            [one] => Standing::One(one),
            _ => Standing::Conflict(left),
        }
    }

    /// The newest standing version, in a conflict too.
    pub fn newest(&self) -> Option<&Version> {
        match self.standing() {
            Standing::Nothing => None,
            Standing::One(one) => Some(one),
            Standing::Conflict(several) => several.first().copied(),
        }
    }

    /// Versions that their authors had no right to write: shown as contested.
    pub fn contested(&self) -> impl Iterator<Item = &Version> {
        let contested = self.contested_records();
        self.versions
            .iter()
            .filter(move |version| contested.contains(&version.record))
    }

    /// The kind of what stands.
    pub fn kind(&self) -> Option<u64> {
        self.newest().map(|version| version.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(id: u8, node: u8, kind: Kind, supersedes: &[u8]) -> Version {
        Version {
            record: RecordId([id; 32]),
            time: Timestamp::from_ms(u64::from(id)),
            node: NodeId([node; 32]),
            kind: kind as u64,
            code: 0,
            occurred_ms: 0,
            supersedes: supersedes.iter().map(|id| RecordId([*id; 32])).collect(),
            after_removal: false,
        }
    }

    fn thing(versions: &[Version]) -> Thing {
        let mut thing = Thing::default();
        for version in versions {
            thing.add(version.clone(), None);
        }
        thing
    }

    #[test]
    fn a_correction_by_its_author_is_the_value() {
        let note = thing(&[
            version(1, 1, Kind::LiaisonNote, &[]),
            version(2, 1, Kind::LiaisonNote, &[1]),
        ]);
        assert!(matches!(note.standing(), Standing::One(one) if one.record == RecordId([2; 32])));
    }

    #[test]
    fn two_corrections_that_do_not_know_of_each_other_both_stand() {
        let identity = thing(&[
            version(1, 1, Kind::PatientIdentity, &[]),
            version(2, 1, Kind::PatientIdentity, &[1]),
            version(3, 2, Kind::PatientIdentity, &[1]),
        ]);
        let Standing::Conflict(both) = identity.standing() else {
            panic!("a conflict")
        };
        assert_eq!(
            both.iter().map(|one| one.record.0[0]).collect::<Vec<_>>(),
            [3, 2]
        );
    }

    #[test]
    fn nobody_rewrites_what_another_structure_said() {
        let note = thing(&[
            version(1, 1, Kind::LiaisonNote, &[]),
            version(2, 2, Kind::LiaisonNote, &[1]),
        ]);
        assert!(matches!(note.standing(), Standing::One(one) if one.record == RecordId([1; 32])));
        assert_eq!(note.contested().count(), 1);
    }

    #[test]
    fn what_the_person_answers_anew_follows_what_another_structure_wrote_down() {
        let withdrawn_then_given = thing(&[
            version(1, 1, Kind::Consent, &[]),
            version(2, 2, Kind::Consent, &[1]),
            version(3, 1, Kind::Consent, &[2]),
        ]);
        assert!(
            matches!(withdrawn_then_given.standing(), Standing::One(one) if one.record == RecordId([3; 32]))
        );
        assert_eq!(withdrawn_then_given.contested().count(), 0);
    }

    #[test]
    fn building_on_a_contested_version_gives_no_right() {
        let note = thing(&[
            version(1, 1, Kind::LiaisonNote, &[]),
            version(2, 2, Kind::LiaisonNote, &[1]),
            version(3, 2, Kind::LiaisonNote, &[2]),
        ]);
        assert!(matches!(note.standing(), Standing::One(one) if one.record == RecordId([1; 32])));
        assert_eq!(note.contested().count(), 2);
    }

    #[test]
    fn the_order_of_arrival_changes_nothing() {
        let all = [
            version(1, 1, Kind::CareTeam, &[]),
            version(2, 2, Kind::CareTeam, &[1]),
            version(3, 1, Kind::CareTeam, &[2]),
        ];
        let mut other = all.clone();
        other.reverse();
        assert_eq!(
            crate::cbor::encode(&thing(&all)),
            crate::cbor::encode(&thing(&other))
        );
    }
}
