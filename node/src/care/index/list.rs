//! A page of files: all of them, those that somebody follows, or those that a search finds.

use std::sync::Arc;

use super::{Filed, asked::Asked};
use crate::{
    care::{Actor, Care, CareError, Category, team::Mark},
    clock::today,
};

/// Files in one page of a list.
pub const FILES_IN_A_PAGE: usize = 30;

/// Which files somebody wants to see.
#[derive(Debug, Clone, Copy)]
pub struct FilesWanted<'a> {
    /// What was typed; nothing for all.
    pub typed: &'a str,
    /// Only those whom the actor follows.
    pub followed: bool,
    /// Only the favourites among them.
    pub favourites: bool,
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
    /// Whether it is one of their favourites.
    pub favourite: bool,
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

/// One page of files in an order, without putting all of them into it.
fn page_of<'a, 'f>(
    found: &'a mut [&'f Arc<Filed>],
    page: usize,
    order: impl Fn(&&'f Arc<Filed>, &&'f Arc<Filed>) -> std::cmp::Ordering,
) -> &'a [&'f Arc<Filed>] {
    let from = page.saturating_mul(FILES_IN_A_PAGE).min(found.len());
    let to = (from + FILES_IN_A_PAGE).min(found.len());
    if from > 0 && from < found.len() {
        found.select_nth_unstable_by(from, &order);
    }
    let rest = &mut found[from..];
    if to - from < rest.len() {
        rest.select_nth_unstable_by(to - from, &order);
    }
    let page = &mut rest[..to - from];
    page.sort_by(order);
    page
}

impl Care {
    /// The files that are wanted: while somebody types, by name; otherwise those in which something happened last come first.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn files(&self, actor: &Actor, wanted: FilesWanted<'_>) -> Result<FilesFound, CareError> {
        self.may_read(actor, Category::Identity)?;
        let asked = Asked::read(wanted.typed);
        let favourites = self.favourites(actor)?;
        let files = self.index.held();
        let followed = files.followed(&Mark::all_of(actor), &today());
        let is_followed = |filed: &Filed| followed.contains_key(&filed.circle);
        let is_asked = |filed: &&Arc<Filed>| {
            filed.ended == wanted.ended
                && asked.names(&filed.names)
                && asked.numbers(&filed.identity, || is_followed(filed))
        };
        let mut found: Vec<&Arc<Filed>> = if wanted.favourites {
            let chosen = favourites.iter().filter_map(|circle| followed.get(circle));
            chosen.copied().filter(is_asked).collect()
        } else if wanted.followed {
            followed.values().copied().filter(is_asked).collect()
        } else if asked.is_empty() {
            files.all().filter(is_asked).collect()
        } else {
            let slate = self.index.slate(&files).with(&asked.needles());
            let filed = slate.iter().filter_map(|circle| files.get(circle));
            filed.filter(is_asked).collect()
        };
        let total = found.len();
        let page = if asked.is_empty() {
            let latest = |one: &&Arc<Filed>| std::cmp::Reverse((one.latest_ms, one.circle));
            page_of(&mut found, wanted.page, |a, b| latest(a).cmp(&latest(b)))
        } else {
            let name = |one: &&Arc<Filed>| (!is_followed(one), one.circle);
            page_of(&mut found, wanted.page, |a, b| {
                let names = a.names.cmp(&b.names);
                names.then_with(|| name(a).cmp(&name(b)))
            })
        };
        let listed = page.iter().map(|filed| {
            let followed = is_followed(filed);
            Listed {
                followed,
                favourite: followed && favourites.contains(&filed.circle),
                filed: Arc::clone(filed),
            }
        });
        Ok(FilesFound {
            files: listed.collect(),
            total,
            partial: !self.knows_everybody(),
        })
    }
}
