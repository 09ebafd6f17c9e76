//! What happens while a page is open: a stream of events, from which the page's script brings counts, lists and the file up to date.
//!
//! - `compte`: how many alerts and invitations wait for the reader
//! - `nouveau`: `attente` where the lists of what waits changed, or an alert was not answered in time, `notes` where something was written in a file that the reader follows, `dossier` where the file on the
//!   page changed; the page asks for itself again, so that what is read
//!   passes through `care` and stands in the trail
//! - `alerte`: an alert has come; who the person is and where the file is
//! - `fin`: the session is over or locked; nothing more comes
//!
//! A stream is no sign of a person: it keeps no session alive. Who reads is asked anew before each event.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::stream;
use maillon_protocol::ids::CircleId;
use serde::Deserialize;
use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval, sleep_until},
};

use super::{
    Site,
    door::Who,
    dossier::{address, file},
    person::Person,
    problem::Problem,
};
use crate::{
    access::{AccountId, State as SessionState, Token},
    care::{Actor, Asked as AskedAlert, CareError, Heard, Listener},
    clock::{now_ms, today},
};

/// Streams of one account at one time: so many pages are open at once.
const OF_ONE_ACCOUNT: usize = 16;
/// All of them.
const STREAMS: usize = 1_500;
/// How often it is asked whether the session goes on.
const LOOK: Duration = Duration::from_secs(10);
/// For so long what happens is gathered after something was told.
const GATHER: Duration = Duration::from_millis(100);
/// A line that says nothing, so that nobody between takes the stream for dead.
const ALIVE: Duration = Duration::from_secs(20);

/// How many streams each account has open.
#[derive(Default)]
pub(super) struct Streams(Mutex<HashMap<AccountId, usize>>);

/// One of them, until it is dropped.
struct Open {
    streams: Arc<Streams>,
    account: AccountId,
}

impl Streams {
    fn open(self: &Arc<Self>, account: AccountId) -> Option<Open> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = held.values().sum();
        let own = held.entry(account).or_default();
        if all >= STREAMS || *own >= OF_ONE_ACCOUNT {
            return None;
        }
        *own += 1;
        Some(Open {
            streams: Arc::clone(self),
            account,
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut held = self
            .streams
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.account);
            }
        }
    }
}

/// What a page knows, and what it shows.
#[derive(Deserialize)]
pub(super) struct Asked {
    /// The last change that it knows.
    depuis: u64,
    /// When it was made, Unix milliseconds.
    heure: Option<u64>,
    /// The address of the file on it.
    #[serde(default)]
    dossier: String,
    /// Whether notes that wait to be read are on it.
    #[serde(default)]
    notes: bool,
}

/// One page that listens.
struct Page {
    site: Site,
    token: Token,
    /// The file on it.
    file: Option<CircleId>,
    /// Whether notes that wait to be read are on it.
    notes: bool,
    heard: Listener,
    /// The last change that it was told.
    known: u64,
    asked: BTreeSet<AskedAlert>,
    invitations: usize,
    ready: VecDeque<Event>,
    look: Interval,
    /// Before this nothing more is told.
    quiet_until: Instant,
    stopped: watch::Receiver<bool>,
    over: bool,
    /// Of alerts that were to be answered by then the page knows that they are late, Unix milliseconds.
    late_ms: u64,
    /// What was counted at the beginning may know of commits up to this one; the page does not, until it is told.
    counted: u64,
    _open: Open,
}

/// What came together while a page was not told.
#[derive(Default)]
struct Gathered {
    /// The files in which alerts may wait that did not, or the other way round.
    alerts: BTreeSet<CircleId>,
    /// The files in which something was written, where the page shows notes.
    written: BTreeSet<CircleId>,
    invitations: bool,
    file: bool,
    /// Something that was counted at the beginning, and has happened since the page was made.
    counted: bool,
    /// Anything may have changed.
    all: bool,
}

/// `GET /evenements`
pub(super) async fn events(
    State(site): State<Site>,
    who: Who,
    headers: axum::http::HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| Problem::not_understood())?;
    let actor = who.professional()?;
    let care = &site.node.care;
    let file = match asked.dossier.as_str() {
        "" => None,
        at => {
            let filed = file(&site, at).ok_or_else(Problem::not_found)?;
            if !care.opens(actor, &filed.circle)? {
                return Err(Problem::not_in_team());
            }
            Some(filed.circle)
        }
    };
    let Some(open) = site.streams.open(who.account().id) else {
        return Err(Problem::too_many_streams());
    };
    // A stream that was cut goes on where it was.
    let last = headers.get("last-event-id");
    let last = last.and_then(|last| last.to_str().ok()?.parse().ok());
    let known = last.unwrap_or(asked.depuis);
    let notes = asked.notes;
    // What became late before the stream began, or while it was cut, the page does not show as late.
    let late_ms = asked.heure.unwrap_or(u64::MAX).min(now_ms());
    let heard = care.changes_after(known);
    let asked = care.asked_of(actor, now_ms())?.into_iter().collect();
    let invitations = invitations(&site, actor).await?;
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut page = Page {
        token: who.token.clone(),
        file,
        notes,
        heard,
        known,
        asked,
        invitations,
        late_ms,
        // After the counting: what came while it went on may have been seen.
        counted: care.commits_begun(),
        ready: VecDeque::new(),
        look,
        quiet_until: Instant::now(),
        stopped: site.stopped.clone(),
        over: false,
        site,
        _open: open,
    };
    page.count();
    let events = stream::unfold(page, |mut page| async {
        let event = page.next().await?;
        Some((Ok::<_, Infallible>(event), page))
    });
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE));
    Ok(events.into_response())
}

/// How many invitations wait for somebody; none where they may not see them.
async fn invitations(site: &Site, actor: &Actor) -> Result<usize, CareError> {
    match site.node.care.invitations(actor).await {
        Ok(waiting) => Ok(waiting.len()),
        Err(CareError::NotReadable(_)) => Ok(0),
        Err(error) => Err(error),
    }
}

/// Waits until a moment, and says which; for ever where there is none.
async fn until(moment_ms: Option<u64>) -> u64 {
    let Some(moment_ms) = moment_ms else {
        return std::future::pending().await;
    };
    tokio::time::sleep(Duration::from_millis(moment_ms.saturating_sub(now_ms()))).await;
    moment_ms
}

impl Page {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            let due = self.next_due();
            let heard = tokio::select! {
                _ = self.stopped.changed() => return None,
                _ = self.look.tick() => {
                    if self.reader().is_none() {
                        self.end();
                    }
                    continue;
                }
                due_ms = until(due) => {
                    self.late_ms = due_ms.max(now_ms());
                    match self.reader() {
                        Some(_) => self.put("nouveau", "attente"),
                        None => self.end(),
                    }
                    continue;
                }
                heard = self.heard.next() => heard?,
            };
            let mut gathered = Gathered::default();
            self.gather(&mut gathered, heard);
            sleep_until(self.quiet_until).await;
            // What came meanwhile is told with it.
            while let Some(heard) = futures::FutureExt::now_or_never(self.heard.next()) {
                self.gather(&mut gathered, heard?);
            }
            if let Err(error) = self.tell(&gathered).await {
                // The page loads itself again sooner or later, and says what is wrong.
                tracing::warn!(%error, "an open page could not be told what changed");
                return None;
            }
            self.quiet_until = Instant::now() + GATHER;
        }
    }

    /// When the next alert is late that nobody has answered, Unix milliseconds.
    fn next_due(&self) -> Option<u64> {
        let due = self.asked.iter().filter_map(|one| one.due_ms);
        due.filter(|due_ms| *due_ms > self.late_ms).min()
    }

    /// Who reads the page now; none where the session is over or locked.
    fn reader(&self) -> Option<Actor> {
        let signed = self
            .site
            .node
            .access
            .who(&self.token, false, now_ms())
            .filter(|signed| signed.state == SessionState::Open)?;
        let actor = self.site.node.care.actor_of(signed.situation?).ok()??;
        Some(actor.at_page())
    }

    fn gather(&mut self, gathered: &mut Gathered, heard: Heard) {
        match heard {
            Heard::Anything(number) => {
                self.known = number;
                gathered.all = true;
            }
            Heard::Change(change) => {
                self.known = change.number;
                gathered.counted |= change.commit <= self.counted;
                gathered.invitations |= change.invitations;
                let alerts = change.files.iter().filter(|(_, alerts)| **alerts);
                gathered.alerts.extend(alerts.map(|(circle, _)| *circle));
                if self.notes {
                    gathered.written.extend(change.files.keys());
                }
                gathered.file |= self
                    .file
                    .is_some_and(|file| change.files.contains_key(&file));
            }
        }
    }

    async fn tell(&mut self, gathered: &Gathered) -> Result<(), CareError> {
        let Some(actor) = self.reader() else {
            self.end();
            return Ok(());
        };
        let care = self.site.node.care.clone();
        let mut waits = gathered.all;
        if gathered.all || self.is_concerned(&actor, &gathered.alerts) {
            let asked: BTreeSet<_> = care.asked_of(&actor, now_ms())?.into_iter().collect();
            let fresh: Vec<_> = asked.difference(&self.asked).copied().collect();
            for alert in fresh {
                self.announce(&alert)?;
            }
            // Where somebody has taken note an alert may stay in the list, and look otherwise. What happens in files of others is none of this page's.
            let touched = self.is_concerned(&actor, &gathered.alerts);
            let mut counted = false;
            for circle in gathered.alerts.iter().filter(|_| gathered.counted) {
                counted |= care.opens(&actor, circle)?;
            }
            waits |= counted || touched || asked != self.asked;
            self.asked = asked;
        }
        if gathered.all || gathered.invitations {
            let waiting = invitations(&self.site, &actor).await?;
            waits |= gathered.counted || waiting != self.invitations;
            self.invitations = waiting;
        }
        if waits {
            self.count();
            self.put("nouveau", "attente");
        }
        let mut written = gathered.written.iter();
        let reads = care.reads_messages(&actor);
        if self.notes && reads && (gathered.all || written.any(|file| care.is_listed(&actor, file)))
        {
            self.put("nouveau", "notes");
        }
        if let (true, Some(file)) = (gathered.file || gathered.all, self.file)
            && care.opens(&actor, &file)?
        {
            self.put("nouveau", "dossier");
        }
        Ok(())
    }

    /// Whether alerts in these files may wait for the reader that did not, or the other way round: they follow one of them, or did when they were counted. What
    /// happens in files of others is not counted anew for each page that is open.
    fn is_concerned(&self, actor: &Actor, alerts: &BTreeSet<CircleId>) -> bool {
        let care = &self.site.node.care;
        let counted = |circle: CircleId| self.asked.iter().any(|one| one.circle == circle);
        let mut alerts = alerts.iter();
        alerts.any(|circle| counted(*circle) || care.is_listed(actor, circle))
    }

    /// An alert that was not there before.
    fn announce(&mut self, alert: &AskedAlert) -> Result<(), CareError> {
        if let Some(filed) = self.site.node.care.filed(&alert.circle)? {
            let said = json!({
                "personne": Person::of(&filed.identity, &today()).name,
                "adresse": format!("/dossiers/{}?fil=alertes", address(&filed.circle)),
            });
            self.put("alerte", &said.to_string());
        }
        Ok(())
    }

    fn count(&mut self) {
        let counts = json!({"alertes": self.asked.len(), "invitations": self.invitations});
        self.put("compte", &counts.to_string());
    }

    fn end(&mut self) {
        self.put("fin", "");
        self.over = true;
    }

    fn put(&mut self, name: &str, data: &str) {
        let event = Event::default().id(self.known.to_string());
        self.ready.push_back(event.event(name).data(data));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_does_not_get_all_streams() {
        let streams = Arc::new(Streams::default());
        let (one, other) = (AccountId([1; 16]), AccountId([2; 16]));
        let mut open: Vec<_> = (0..OF_ONE_ACCOUNT)
            .filter_map(|_| streams.open(one))
            .collect();
        assert_eq!(open.len(), OF_ONE_ACCOUNT);
        assert!(streams.open(one).is_none());
        assert!(streams.open(other).is_some());
        open.pop();
        assert!(streams.open(one).is_some());
        drop(open);
        assert!(streams.0.lock().expect("whole").is_empty());
    }
}
