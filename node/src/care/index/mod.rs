//! The people whose files are here, in memory: who they are, who follows them, when something happened last. Lists and searches read it and nothing else.
//!
//! - `filed`: one file, as lists show it, and how it is read
//! - `list`: a page of files, all or those that a search finds
//! - `words`: names as they are compared
//! - `asked`: what somebody types, as it is looked for
//! - `pairs`: files that might be of one person
//! - `slate`: what a search runs through
//! - `teams`: the files in whose teams somebody is
//!
//! It is built when the node starts, beside everything else, and follows each commit; a command refreshes what it changed before it answers. Nothing of it is on
//! disk: what is there is sealed, and whoever opens the node's keystore reads it again.

mod asked;
mod filed;
mod list;
mod pairs;
mod slate;
mod teams;
mod words;

pub(super) use words::{joined, words};

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use maillon_protocol::{content::PatientIdentity, ids::CircleId};

use super::{
    Actor, Care, CareError, Likeness,
    team::{Colleague, Mark},
};
use crate::clock::today;
pub use filed::Filed;
pub use list::{FILES_IN_A_PAGE, FilesFound, FilesWanted, Listed};
use pairs::Pairs;
pub(super) use pairs::{Apart, pair};
use slate::Slate;
use teams::Teams;

/// Likely duplicates that are shown.
const MOST_ALIKE: usize = 5;

#[derive(Default)]
struct Kept {
    /// When the reading began that this is of.
    begun: u64,
    /// Which commit had changed the circle last then ([`Shared::changed`]); none where it could not be read.
    as_of: Option<u64>,
    filed: Option<Arc<Filed>>,
}

#[derive(Default)]
struct Files {
    kept: BTreeMap<CircleId, Kept>,
    teams: Teams,
}

impl Files {
    fn get(&self, circle: &CircleId) -> Option<&Arc<Filed>> {
        self.kept.get(circle)?.filed.as_ref()
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Filed>> {
        self.kept.values().filter_map(|kept| kept.filed.as_ref())
    }

    /// Those in whose teams somebody with these marks is on a day.
    fn followed(&self, marks: &[Mark], day: &str) -> HashMap<CircleId, &Arc<Filed>> {
        let files = self.teams.of(marks).filter_map(|circle| self.get(circle));
        files
            .filter(|filed| filed.is_followed_by(marks, day))
            .map(|filed| (filed.circle, filed))
            .collect()
    }
}

/// The index.
#[derive(Default)]
pub(super) struct Index {
    files: RwLock<Files>,
    /// As of the files that are held; none where somebody has changed since.
    slate: Mutex<Option<Arc<Slate>>>,
    readings: AtomicU64,
    whole: AtomicBool,
    pairs: Pairs,
}

impl Index {
    // A poisoned lock leaves a map that is whole.
    fn held(&self) -> RwLockReadGuard<'_, Files> {
        self.files.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn changing(&self) -> RwLockWriteGuard<'_, Files> {
        self.files.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a search runs through, of the files that are held.
    fn slate(&self, files: &Files) -> Arc<Slate> {
        let mut slate = self.slate.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slate.get_or_insert_with(|| Arc::new(Slate::of(files.all()))))
    }

    /// Keeps what a reading found that began at `begun`, unless a later one has been kept.
    fn keep(
        &self,
        circle: CircleId,
        (begun, as_of): (u64, Option<u64>),
        filed: Option<Arc<Filed>>,
    ) {
        let who = |filed: &Option<Arc<Filed>>| {
            let filed = filed.as_ref();
            filed.map(|filed| (filed.identity.clone(), filed.ended))
        };
        let is = who(&filed);
        let mut files = self.changing();
        let Files { kept, teams } = &mut *files;
        let kept = kept.entry(circle).or_default();
        if kept.begun > begun {
            return;
        }
        let was = who(&kept.filed);
        teams.change(circle, kept.filed.as_deref(), filed.as_deref());
        *kept = Kept {
            begun,
            as_of,
            filed,
        };
        if was != is {
            *self.slate.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        drop(files);
        if was != is {
            self.pairs.compare(&circle, || {
                let files = self.held();
                (files.get(&circle).cloned(), files.all().cloned().collect())
            });
        }
    }
}

impl Care {
    /// Reads a file again into the index.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn refresh_file(&self, circle: &CircleId) -> Result<Option<Arc<Filed>>, CareError> {
        let begun = self.index.readings.fetch_add(1, Ordering::AcqRel) + 1;
        let shared = self.shared();
        let changed = shared.changed(circle);
        let held = shared.circle(circle);
        // Whether the file that goes on with this one is here, no commit of this circle says.
        let alone = held.as_ref().is_none_or(|held| held.continued.is_none());
        let read = match held {
            Some(held) => Filed::read(shared, &held).map(|filed| filed.map(Arc::new)),
            None => Ok(None),
        };
        // What cannot be read is nobody's: an older reading lets nobody in.
        let filed = read.as_ref().ok().cloned().flatten();
        let as_of = (alone && read.is_ok()).then_some(changed);
        self.index.keep(*circle, (begun, as_of), filed);
        read
    }

    /// A file as the records say now: read again where a commit has changed the circle since.
    ///
    /// # Errors
    /// [`CareError`].
    pub(super) fn file_now(&self, circle: &CircleId) -> Result<Option<Arc<Filed>>, CareError> {
        let changed = self.shared().changed(circle);
        let files = self.index.held();
        let kept = files.kept.get(circle);
        if let Some(kept) = kept.filter(|kept| kept.as_of == Some(changed)) {
            return Ok(kept.filed.clone());
        }
        drop(files);
        self.refresh_file(circle)
    }

    /// A file as the index has it; none where there is no such person here.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn filed(&self, circle: &CircleId) -> Result<Option<Arc<Filed>>, CareError> {
        if let Some(kept) = self.index.held().kept.get(circle) {
            return Ok(kept.filed.clone());
        }
        self.refresh_file(circle)
    }

    /// The file whose circle's id begins so; none where there is none, or more than one.
    pub fn file_at(&self, begins: &[u8]) -> Option<Arc<Filed>> {
        let mut first = CircleId([0; 32]);
        first.0.get_mut(..begins.len())?.copy_from_slice(begins);
        let files = self.index.held();
        let mut found = files
            .kept
            .range(first..)
            .take_while(|(circle, _)| circle.0.starts_with(begins))
            .filter_map(|(_, kept)| kept.filed.as_ref());
        let first = found.next()?;
        found.next().is_none().then(|| Arc::clone(first))
    }

    /// Something came into a file that says nothing of who the person is or who follows them.
    pub(crate) fn touch_file(&self, circle: &CircleId, at_ms: u64) {
        let mut files = self.index.changing();
        let begun = self.index.readings.fetch_add(1, Ordering::AcqRel) + 1;
        if let Some(kept) = files.kept.get_mut(circle) {
            // A reading that began before this one does not know of it.
            kept.begun = kept.begun.max(begun);
        }
        if let Some(filed) = files
            .kept
            .get_mut(circle)
            .and_then(|kept| kept.filed.as_mut())
            && filed.latest_ms < at_ms
        {
            Arc::make_mut(filed).latest_ms = at_ms;
        }
    }

    /// Reads every file into the index. One that cannot be read is left out and said. Where that is done again, what is held is of use meanwhile.
    pub(crate) fn build_index(&self) {
        // Those too that are here no more.
        let mut all: BTreeSet<_> = self.index.held().kept.keys().copied().collect();
        all.extend(self.shared().circles().iter().map(|held| held.id()));
        for circle in &all {
            if let Err(error) = self.refresh_file(circle) {
                tracing::warn!(circle = %circle.short(), %error, "a file could not be read for the list of patients");
            }
        }
        self.index.pairs.build(|| {
            // Here, where whoever decides meanwhile waits.
            let apart = self.kept_apart().unwrap_or_else(|error| {
                tracing::warn!(%error, "what was decided about doubts could not be read: they are asked about again");
                Apart::new()
            });
            let files = self.index.held();
            (files.all().cloned().collect(), apart)
        });
        self.index.whole.store(true, Ordering::Release);
    }

    /// Files that might be of one person, two by two, as far as nobody has decided.
    pub(super) fn pairs(&self) -> &Pairs {
        &self.index.pairs
    }

    /// Whether every file has been read since the start: before that nobody is told that somebody is not here.
    pub fn knows_everybody(&self) -> bool {
        self.index.whole.load(Ordering::Acquire)
    }

    /// Whether a file is among those that somebody follows, as the index has it: good enough to say that there may be something new, and nothing is opened by it.
    pub fn is_listed(&self, actor: &Actor, circle: &CircleId) -> bool {
        let (marks, today) = (Mark::all_of(actor), today());
        let files = self.index.held();
        let filed = files.get(circle);
        filed.is_some_and(|one| one.is_followed_by(&marks, &today))
    }

    /// The circles of the files that somebody follows and that go on.
    pub(super) fn followed(&self, actor: &Actor) -> Vec<CircleId> {
        let (marks, today) = (Mark::all_of(actor), today());
        let files = self.index.held();
        let followed = files.followed(&marks, &today).into_values();
        let circles = followed.filter(|one| !one.ended).map(|one| one.circle);
        circles
            .filter(|one| self.shared().circle(one).is_some())
            .collect()
    }

    /// Files that might be of this person, the likeliest first.
    pub fn alike(&self, identity: &PatientIdentity) -> Vec<(Arc<Filed>, Likeness)> {
        let files = self.index.held();
        let mut alike: Vec<_> = files
            .all()
            .filter_map(|one| Some((Arc::clone(one), Likeness::of(identity, &one.identity)?)))
            .collect();
        alike.sort_by_key(|(one, why)| (*why, one.circle));
        alike.truncate(MOST_ALIKE);
        alike
    }

    /// Whether somebody is in a person's team today, as the records say now.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn follows(&self, actor: &Actor, circle: &CircleId) -> Result<bool, CareError> {
        let filed = self.file_now(circle)?;
        Ok(filed.is_some_and(|filed| filed.is_followed_by(&Mark::all_of(actor), &today())))
    }

    /// Shows each professional of another structure whom a file here names, as often as files do.
    pub(super) fn each_colleague(&self, mut show: impl FnMut(&Colleague)) {
        let files = self.index.held();
        files
            .all()
            .flat_map(|filed| &filed.colleagues)
            .for_each(&mut show);
    }
}
