//! The people whose files are here, in memory: who they are, who follows them, when something happened last. Lists and searches read it and nothing else.
//!
//! - `words`: names as they are compared
//! - `asked`: what somebody types, as it is looked for
//!
//! It is built when the node starts, beside everything else, and follows each commit; a command refreshes what it changed before it answers. Nothing of it is on
//! disk: what is there is sealed, and whoever opens the node's keystore reads it again.

mod asked;
mod words;

pub(super) use words::{joined, words};

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use maillon_protocol::{
    charter::Subject,
    circle::Circle,
    content::{Content, Kind, PatientIdentity},
    ids::{CircleId, NodeId},
};

use super::{
    Actor, Care, CareError, Category, Likeness, read,
    team::{Mark, Term},
};
use crate::{clock::today, ledger::Shared};
use asked::Asked;

/// Files in one page of a list.
pub const FILES_IN_A_PAGE: usize = 30;
/// Likely duplicates that are shown.
const MOST_ALIKE: usize = 5;

/// One file, as lists show it.
#[derive(Debug, Clone)]
pub struct Filed {
    /// The circle.
    pub circle: CircleId,
    /// Who the person is, as written last.
    pub identity: PatientIdentity,
    /// Whether structures say different things of who the person is.
    pub contested: bool,
    /// Whether the file is closed, or this structure is in the circle no more.
    pub ended: bool,
    /// When something came into it last, Unix milliseconds.
    pub latest_ms: u64,
    /// The structure that wrote who the referent is.
    pub referent: Option<NodeId>,
    /// Its words, each after a space.
    names: String,
    terms: Vec<Term>,
}

impl Filed {
    /// Reads a file; none where it is about nobody, or is continued by another one that is here.
    fn read(shared: &Shared, circle: &Circle) -> Result<Option<Self>, CareError> {
        let id = circle.id();
        let state = circle.charter.state();
        let goes_on = circle.continued.and_then(|next| shared.circle(&next));
        if state.subject != Subject::Patient || goes_on.is_some() {
            return Ok(None);
        }
        let (mut identities, mut terms, mut latest_ms) = (Vec::new(), Vec::new(), 0);
        let mut referent = None;
        for thing in read::things(shared, &id)?.values() {
            let newest = thing.newest().map_or(0, |version| version.time.ms());
            latest_ms = latest_ms.max(newest);
            let kind = thing.kind().and_then(Kind::from_number);
            if !matches!(kind, Some(Kind::PatientIdentity | Kind::Participation)) {
                continue;
            }
            for version in read::standing(thing) {
                let Some((_, opened)) = read::opened(shared, &version.record)? else {
                    continue;
                };
                match opened.content {
                    Content::PatientIdentity(identity) => {
                        identities.push((version.time, identity));
                    }
                    Content::Participation(term) => {
                        if term.referent && term.period.end.is_none() {
                            referent = Some(version.node);
                        }
                        terms.extend(Term::of(&term));
                    }
                    _ => {}
                }
            }
        }
        identities.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
        let contested = identities.len() > 1;
        let Some((_, identity)) = identities.into_iter().next() else {
            return Ok(None);
        };
        Ok(Some(Self {
            circle: id,
            names: names_of(&identity),
            identity,
            contested,
            ended: state.closed || !circle.charter.is_member(&shared.own()),
            latest_ms,
            referent,
            terms,
        }))
    }

    /// Whether somebody with these marks is in the person's team on a day.
    fn is_followed_by(&self, marks: &[Mark], today: &str) -> bool {
        self.terms.iter().any(|term| term.is_of(marks, today))
    }
}

/// The words of a person's names, each after a space; those of one name also together, as some people write it.
fn names_of(identity: &PatientIdentity) -> String {
    let used = [&identity.used_name, &identity.used_given_name];
    let all = std::iter::once(&identity.birth_name)
        .chain(&identity.birth_given_names)
        .chain(used);
    let mut names = String::new();
    for name in all {
        let found = words(name);
        let together = (found.len() > 1).then(|| found.concat());
        for word in found.iter().chain(&together) {
            names.push(' ');
            names.push_str(word);
        }
    }
    names
}

/// Which files somebody wants to see.
#[derive(Debug, Clone, Copy)]
pub struct FilesWanted<'a> {
    /// What was typed; nothing for all.
    pub typed: &'a str,
    /// Only those whom the actor follows.
    pub followed: bool,
    /// Those that have ended, instead of those that go on.
    pub ended: bool,
    /// Pages before this one.
    pub page: usize,
}

/// A file in a list, for one reader.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The file.
    pub filed: Arc<Filed>,
    /// Whether the reader is in the team.
    pub followed: bool,
}

/// A page of files.
#[derive(Debug, Clone)]
pub struct FilesFound {
    /// Those of this page.
    pub files: Vec<Listed>,
    /// How many there are, all pages together.
    pub total: usize,
    /// Whether the index is still being built: there may be more.
    pub partial: bool,
}

#[derive(Default)]
struct Kept {
    /// When the reading began that this is of.
    begun: u64,
    filed: Option<Arc<Filed>>,
}

/// The index.
#[derive(Default)]
pub(super) struct Index {
    files: RwLock<HashMap<CircleId, Kept>>,
    readings: AtomicU64,
    whole: AtomicBool,
}

impl Index {
    // A poisoned lock leaves a map that is whole.
    fn held(&self) -> RwLockReadGuard<'_, HashMap<CircleId, Kept>> {
        self.files.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn changing(&self) -> RwLockWriteGuard<'_, HashMap<CircleId, Kept>> {
        self.files.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what a reading found that began at `begun`, unless a later one has been kept.
    fn keep(&self, circle: CircleId, begun: u64, filed: Option<Arc<Filed>>) {
        let mut files = self.changing();
        let kept = files.entry(circle).or_default();
        if kept.begun <= begun {
            *kept = Kept { begun, filed };
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
        let read = match shared.circle(circle) {
            Some(held) => Filed::read(shared, &held).map(|filed| filed.map(Arc::new)),
            None => Ok(None),
        };
        // What cannot be read is nobody's: an older reading lets nobody in.
        let filed = read.as_ref().ok().cloned().flatten();
        self.index.keep(*circle, begun, filed);
        read
    }

    /// A file as the index has it; none where there is no such person here.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn filed(&self, circle: &CircleId) -> Result<Option<Arc<Filed>>, CareError> {
        if let Some(kept) = self.index.held().get(circle) {
            return Ok(kept.filed.clone());
        }
        self.refresh_file(circle)
    }

    /// The file whose circle's id begins so; none where there is none, or more than one.
    pub fn file_at(&self, begins: &[u8]) -> Option<Arc<Filed>> {
        let files = self.index.held();
        let mut found = files
            .iter()
            .filter(|(circle, _)| circle.0.starts_with(begins))
            .filter_map(|(_, kept)| kept.filed.as_ref());
        let first = found.next()?;
        found.next().is_none().then(|| Arc::clone(first))
    }

    /// Something came into a file that says nothing of who the person is or who follows them.
    pub(crate) fn touch_file(&self, circle: &CircleId, at_ms: u64) {
        let mut files = self.index.changing();
        let begun = self.index.readings.fetch_add(1, Ordering::AcqRel) + 1;
        if let Some(kept) = files.get_mut(circle) {
            // A reading that began before this one does not know of it.
            kept.begun = kept.begun.max(begun);
        }
        if let Some(filed) = files.get_mut(circle).and_then(|kept| kept.filed.as_mut())
            && filed.latest_ms < at_ms
        {
            Arc::make_mut(filed).latest_ms = at_ms;
        }
    }

    /// Reads every file into the index. One that cannot be read is left out and said.
    pub(crate) fn build_index(&self) {
        self.index.whole.store(false, Ordering::Release);
        for circle in self.shared().circles() {
            if let Err(error) = self.refresh_file(&circle.id()) {
                tracing::warn!(circle = %circle.id().short(), %error, "a file could not be read for the list of patients");
            }
        }
        self.index.whole.store(true, Ordering::Release);
    }

    /// Whether every file has been read since the start: before that nobody is told that somebody is not here.
    pub fn knows_everybody(&self) -> bool {
        self.index.whole.load(Ordering::Acquire)
    }

    /// The files that are wanted: while somebody types, by name; otherwise those in which something happened last come first.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn files(&self, actor: &Actor, wanted: FilesWanted<'_>) -> Result<FilesFound, CareError> {
        self.may_read(actor, Category::Identity)?;
        let asked = Asked::read(wanted.typed);
        let (marks, today) = (Mark::all_of(actor), today());
        let mut found: Vec<Listed> = {
            let files = self.index.held();
            let filed = files.values().filter_map(|kept| kept.filed.as_ref());
            filed
                .filter(|filed| filed.ended == wanted.ended && asked.names(&filed.names))
                .map(|filed| (filed, filed.is_followed_by(&marks, &today)))
                .filter(|(filed, followed)| asked.numbers(&filed.identity, *followed))
                .map(|(filed, followed)| Listed {
                    followed,
                    filed: Arc::clone(filed),
                })
                .filter(|listed| listed.followed || !wanted.followed)
                .collect()
        };
        if asked.is_empty() {
            found.sort_by_key(|one| std::cmp::Reverse((one.filed.latest_ms, one.filed.circle)));
        } else {
            found.sort_by(|a, b| {
                let name = |one: &Listed| (!one.followed, one.filed.circle);
                (&a.filed.names, name(a)).cmp(&(&b.filed.names, name(b)))
            });
        }
        let total = found.len();
        let from = wanted.page.saturating_mul(FILES_IN_A_PAGE).min(total);
        let files = found
            .drain(from..total.min(from + FILES_IN_A_PAGE))
            .collect();
        Ok(FilesFound {
            files,
            total,
            partial: !self.knows_everybody(),
        })
    }

    /// The circles of the files that somebody follows and that go on.
    pub(super) fn followed(&self, actor: &Actor) -> Vec<CircleId> {
        let (marks, today) = (Mark::all_of(actor), today());
        let files = self.index.held();
        let filed = files.values().filter_map(|kept| kept.filed.as_ref());
        let followed = filed.filter(|one| !one.ended && one.is_followed_by(&marks, &today));
        let circles = followed.map(|one| one.circle);
        circles
            .filter(|one| self.shared().circle(one).is_some())
            .collect()
    }

    /// Files that might be of this person, the likeliest first.
    pub fn alike(&self, identity: &PatientIdentity) -> Vec<(Arc<Filed>, Likeness)> {
        let files = self.index.held();
        let filed = files.values().filter_map(|kept| kept.filed.as_ref());
        let mut alike: Vec<_> = filed
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
        let filed = self.refresh_file(circle)?;
        Ok(filed.is_some_and(|filed| filed.is_followed_by(&Mark::all_of(actor), &today())))
    }

    /// Those of several who are not in a person's team today, as the records say now.
    ///
    /// # Errors
    /// [`CareError`].
    pub(super) fn who_do_not_follow(
        &self,
        mut actors: Vec<Actor>,
        circle: &CircleId,
    ) -> Result<Vec<Actor>, CareError> {
        let (filed, today) = (self.refresh_file(circle)?, today());
        let follows = |actor: &Actor| {
            let filed = filed.as_ref();
            filed.is_some_and(|filed| filed.is_followed_by(&Mark::all_of(actor), &today))
        };
        actors.retain(|actor| !follows(actor));
        Ok(actors)
    }
}
