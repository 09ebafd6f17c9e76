//! Whose turn it is about an alert: what professionals' pages list and count. Where an alert stands is one rule for every node (`maillon_protocol::dossier::alert`); what
//! this structure does about it is this one.
//!
//! - **asked**: this structure is to answer, and nobody sees to it. One that matters (important, urgent) stays until somebody takes charge of it or closes it, also where
//!   somebody has taken note of it. One that nobody has answered in time asks every structure of the circle but the one that sent it.
//! - **taken**: somebody sees to it, and has not closed it.
//! - **elsewhere**: others are to answer it.
//! - **done**: closed, or known, during the last three days.
//!
//! An alert without addressees asks the sender's colleagues too: a nurse's own structure has the person's doctor. Nobody is asked by their own alert, unless it names their
//! structure. What is only good to know is done with, for a structure, when somebody there knows it.

use std::collections::{BTreeMap, BTreeSet};

use maillon_protocol::{
    admin::AlertLine,
    content::{AlertStep, Severity},
    dossier::AlertEntry,
    ids::{CircleId, NodeId, RecordId},
};

use super::{Actor, Care, CareError, Category, alert::same_person, audit, read};
use crate::audit::About;

/// For so long what is done with is listed, milliseconds: three days.
const DONE_MS: u64 = 3 * 24 * 3_600_000;
/// Alerts in one list of a page.
const IN_A_LIST: usize = 50;
/// Alerts of one file that its first page names.
const IN_A_FILE: usize = 20;
/// Alerts that one page counts.
const COUNTED: usize = 99;

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// This structure is to answer.
    Asked,
    /// Somebody sees to it.
    Taken,
    /// Others are to answer.
    Elsewhere,
    /// It was done with lately.
    Done,
}

/// An alert that waits for somebody's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// The alert.
    pub record: RecordId,
    /// Whose file it is in.
    pub circle: CircleId,
    /// By when it is to be answered, Unix milliseconds, where somebody said so.
    pub due_ms: Option<u64>,
}

/// One list of alerts.
#[derive(Debug, Clone, Default)]
pub struct AlertList {
    /// The first of them.
    pub alerts: Vec<AlertLine>,
    /// Those among them that the reader has answered themselves.
    pub answered: BTreeSet<RecordId>,
    /// How many more there are.
    pub more: usize,
}

/// The alerts of the files that somebody follows.
#[derive(Debug, Clone, Default)]
pub struct AlertBoard(BTreeMap<Turn, AlertList>);

impl AlertBoard {
    /// The list of those of which it is so.
    pub fn take(&mut self, turn: Turn) -> AlertList {
        self.0.remove(&turn).unwrap_or_default()
    }
}

/// Where an alert stands in its list: what is more urgent, who has answered, when it is due, when it was sent.
type Place = (u8, bool, u64, u64, RecordId);

struct Standing {
    circle: CircleId,
    entry: AlertEntry,
    turn: Turn,
    place: Place,
}

/// Whose turn it is, for somebody of a structure of the circle who has written it or not; none where nobody has to look at it any more.
fn turn_of(
    entry: &AlertEntry,
    (own, author): (&NodeId, bool),
    members: &BTreeSet<NodeId>,
    now_ms: u64,
) -> Option<Turn> {
    let asked = entry.asked.as_ref()?;
    let is_member = |node: &NodeId| members.contains(node);
    let done = |step: AlertStep| {
        let answers = entry.answers.values().filter(|answer| answer.step == step);
        let at_ms = answers.map(|answer| answer.time.ms()).min();
        let lately = at_ms.is_some_and(|at_ms| at_ms.saturating_add(DONE_MS) > now_ms);
        lately.then_some(Turn::Done)
    };
    match entry.step() {
        Some(AlertStep::Close) => return done(AlertStep::Close),
        Some(AlertStep::TakeCharge) => return Some(Turn::Taken),
        // Whoever knows what there is to know needs to do no more.
        Some(AlertStep::Acknowledge)
            if asked.severity == Severity::Low
                && (author || entry.structures().contains_key(own)) =>
        {
            return done(AlertStep::Acknowledge);
        }
        _ => {}
    }
    let to_all = asked.addressees.is_empty() || asked.is_orphaned(is_member);
    let is_late = entry.is_overdue(now_ms, is_member);
    let is_asked = asked.addressees.contains(own) || !author && (to_all || is_late);
    Some(if is_asked {
        Turn::Asked
    } else {
        Turn::Elsewhere
    })
}

fn place_of(entry: &AlertEntry, turn: Turn, now_ms: u64) -> Option<Place> {
    let asked = entry.asked.as_ref()?;
    let latest = entry.answers.values().map(|answer| answer.time.0).max();
    let sent = asked.time.0;
    if matches!(turn, Turn::Taken | Turn::Done) {
        // What was done last comes first.
        let done = u64::MAX - latest.unwrap_or(sent);
        return Some((0, false, done, sent, asked.record));
    }
    let due = match asked.answer_by_ms {
        0 => u64::MAX,
        due => due,
    };
    let group = match (asked.severity, due <= now_ms) {
        (Severity::High, true) => 0,
        (Severity::High, false) => 1,
        (_, true) => 2,
        (Severity::Medium, false) => 3,
        (Severity::Low, false) => 4,
    };
    Some((group, latest.is_some(), due, sent, asked.record))
}

impl Care {
    /// Where the alerts of some files stand, each list in its order. The index is read, and who has sent those of this structure that nobody sees to.
    fn standing_in(
        &self,
        actor: &Actor,
        circles: &[CircleId],
        now_ms: u64,
    ) -> Result<Vec<Standing>, CareError> {
        let own = self.shared().own();
        let mut all = Vec::new();
        for id in circles {
            let Some(circle) = self.shared().circle(id) else {
                continue;
            };
            let state = circle.charter.state();
            let members: BTreeSet<NodeId> = circle.charter.members().map(|one| one.node).collect();
            if state.closed || !members.contains(&own) {
                // Nothing can be answered there any more.
                continue;
            }
            for entry in self.alert_entries(id)? {
                let author = self.has_sent(actor, &entry)?;
                let turn = turn_of(&entry, (&own, author), &members, now_ms);
                let placed = turn.and_then(|turn| Some((turn, place_of(&entry, turn, now_ms)?)));
                all.extend(placed.map(|(turn, place)| Standing {
                    circle: *id,
                    entry,
                    turn,
                    place,
                }));
            }
        }
        all.sort_by_key(|one| (one.turn, one.place));
        Ok(all)
    }

    /// Whether somebody has sent an alert themselves, where that plays a part: whoever sees to it or has closed it asks nobody any more.
    fn has_sent(&self, actor: &Actor, entry: &AlertEntry) -> Result<bool, CareError> {
        let own = self.shared().own();
        let waits = matches!(entry.step(), None | Some(AlertStep::Acknowledge));
        match &entry.asked {
            Some(asked) if waits && asked.node == own => self.wrote(actor, &asked.record),
            _ => Ok(false),
        }
    }

    /// Whether somebody has answered an alert themselves.
    pub(super) fn has_answered(
        &self,
        actor: &Actor,
        entry: &AlertEntry,
    ) -> Result<bool, CareError> {
        let own = self.shared().own();
        for answer in entry.answers.values().filter(|answer| answer.node == own) {
            if self.wrote(actor, &answer.record)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn wrote(&self, actor: &Actor, record: &RecordId) -> Result<bool, CareError> {
        let opened = read::opened(self.shared(), record)?;
        Ok(opened
            .is_some_and(|(_, opened)| same_person(&opened.envelope.author, &actor.professional)))
    }

    fn lines_of(&self, standing: &[&Standing], now_ms: u64) -> Result<Vec<AlertLine>, CareError> {
        let mut around = BTreeMap::new();
        let mut lines = Vec::new();
        for one in standing {
            let Some(circle) = self.shared().circle(&one.circle) else {
                continue;
            };
            if let std::collections::btree_map::Entry::Vacant(free) = around.entry(one.circle) {
                free.insert(self.around(&one.circle)?);
            }
            let is_member = |node: &NodeId| circle.charter.is_member(node);
            let overdue = one.entry.is_overdue(now_ms, is_member);
            // Pages know by themselves who the person is.
            let about = (overdue, "");
            if let Some(around) = around.get(&one.circle) {
                lines.extend(self.alert_line(&circle, &one.entry.thing, about, around)?);
            }
        }
        Ok(lines)
    }

    /// The alerts of the files that somebody follows, by whose turn it is; with a line in the trail of each file that is shown.
    ///
    /// # Errors
    /// [`CareError::NotReadable`] where the habilitation does not show alerts.
    pub async fn alert_board(&self, actor: &Actor, now_ms: u64) -> Result<AlertBoard, CareError> {
        self.may_read(actor, Category::Identity)?;
        self.may_read(actor, Category::Messages)?;
        let standing = self.standing_in(actor, &self.followed(actor), now_ms)?;
        let mut board = AlertBoard::default();
        let mut shown = BTreeSet::new();
        for turn in [Turn::Asked, Turn::Elsewhere, Turn::Taken, Turn::Done] {
            let all: Vec<&Standing> = standing.iter().filter(|one| one.turn == turn).collect();
            let (first, rest) = all.split_at(all.len().min(IN_A_LIST));
            let alerts = self.lines_of(first, now_ms)?;
            let mut answered = BTreeSet::new();
            for one in first {
                if let (true, Some(asked)) =
                    (self.has_answered(actor, &one.entry)?, &one.entry.asked)
                {
                    answered.insert(asked.record);
                }
            }
            shown.extend(alerts.iter().map(|alert| alert.circle));
            let more = rest.len();
            let list = AlertList {
                alerts,
                answered,
                more,
            };
            board.0.insert(turn, list);
        }
        if !shown.is_empty() {
            let reader = actor.clone();
            self.leave_line("alert.list", move |tx| {
                let mut shown = shown.into_iter();
                shown.try_for_each(|circle| {
                    audit::note(tx, &reader, "alert.list", About::circle(circle))
                })
            })
            .await?;
        }
        Ok(board)
    }

    /// The alerts of one file that nobody has closed, the most urgent first: whoever asks shows them with a line in the trail.
    pub(super) fn unclosed_in(
        &self,
        actor: &Actor,
        circle: &CircleId,
        now_ms: u64,
    ) -> Result<Vec<AlertLine>, CareError> {
        let standing = self.standing_in(actor, std::slice::from_ref(circle), now_ms)?;
        let mut open: Vec<&Standing> = standing
            .iter()
            .filter(|one| one.turn != Turn::Done)
            .collect();
        open.sort_by_key(|one| (one.turn == Turn::Taken, one.place));
        open.truncate(IN_A_FILE);
        self.lines_of(&open, now_ms)
    }

    /// Which alerts wait for somebody's answer, as far as a page counts them; nothing that they say is shown, so nothing stands in the trail. None where the
    /// habilitation does not show alerts.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn asked_of(&self, actor: &Actor, now_ms: u64) -> Result<Vec<Asked>, CareError> {
        for category in [Category::Identity, Category::Messages] {
            match self.may_read(actor, category) {
                Err(CareError::NotReadable(_)) => return Ok(Vec::new()),
                answer => answer?,
            }
        }
        let standing = self.standing_in(actor, &self.followed(actor), now_ms)?;
        let asked = standing.iter().filter(|one| one.turn == Turn::Asked);
        let asked = asked.take(COUNTED).filter_map(|one| {
            let asked = one.entry.asked.as_ref()?;
            Some(Asked {
                record: asked.record,
                circle: one.circle,
                due_ms: Some(asked.answer_by_ms).filter(|due| *due != 0),
            })
        });
        Ok(asked.collect())
    }
}

#[cfg(test)]
mod tests {
    use maillon_protocol::{
        dossier::{Answer, Asked as Asks},
        ids::ThingId,
        time::Timestamp,
    };

    use super::*;

    const OWN: NodeId = NodeId([1; 32]);
    const CPTS: NodeId = NodeId([2; 32]);
    const HOSPITAL: NodeId = NodeId([3; 32]);
    const DUE: u64 = 1_000;

    fn alert(from: NodeId, to: &[NodeId], severity: Severity) -> AlertEntry {
        let mut entry = AlertEntry::new(ThingId([9; 16]));
        entry.asked = Some(Asks {
            record: RecordId([9; 32]),
            node: from,
            time: Timestamp::from_ms(10),
            severity,
            answer_by_ms: DUE,
            addressees: to.iter().copied().collect(),
        });
        entry
    }

    fn answered(mut entry: AlertEntry, by: NodeId, step: AlertStep, at_ms: u64) -> AlertEntry {
        let number = u8::try_from(entry.answers.len()).unwrap_or_default();
        let answer = Answer {
            record: RecordId([number; 32]),
            node: by,
            step,
            time: Timestamp::from_ms(at_ms),
        };
        entry.answers.insert(ThingId([number; 16]), answer);
        entry
    }

    fn turn(entry: &AlertEntry, members: &[NodeId], now_ms: u64) -> Option<Turn> {
        let members = members.iter().copied().collect();
        turn_of(entry, (&OWN, false), &members, now_ms)
    }

    /// For whoever has sent it.
    fn own_turn(entry: &AlertEntry, members: &[NodeId], now_ms: u64) -> Option<Turn> {
        let members = members.iter().copied().collect();
        turn_of(entry, (&OWN, true), &members, now_ms)
    }

    #[test]
    fn whom_an_alert_names_is_asked_also_where_their_own_structure_sent_it() {
        use Severity::Medium;
        let all = [OWN, CPTS, HOSPITAL];
        assert_eq!(turn(&alert(CPTS, &[], Medium), &all, 1), Some(Turn::Asked));
        let own = alert(OWN, &[], Medium);
        assert_eq!(own_turn(&own, &all, 1), Some(Turn::Elsewhere));
        assert_eq!(own_turn(&own, &[OWN], 1), Some(Turn::Elsewhere));
        // A nurse's own structure may have the person's doctor.
        assert_eq!(turn(&own, &all, 1), Some(Turn::Asked));
        // A broken glass is told to the referent, who may work where it was broken.
        let to_own = alert(OWN, &[OWN], Medium);
        assert_eq!(own_turn(&to_own, &all, 1), Some(Turn::Asked));
        let elsewhere = alert(OWN, &[CPTS], Medium);
        assert_eq!(turn(&elsewhere, &all, 1), Some(Turn::Elsewhere));
        // Where there is nobody else, colleagues are asked.
        assert_eq!(turn(&own, &[OWN], 1), Some(Turn::Asked));
    }

    #[test]
    fn what_others_do_not_answer_in_time_asks_everybody_but_the_sender() {
        let all = [OWN, CPTS, HOSPITAL];
        let theirs = alert(CPTS, &[HOSPITAL], Severity::High);
        assert_eq!(turn(&theirs, &all, DUE - 1), Some(Turn::Elsewhere));
        assert_eq!(turn(&theirs, &all, DUE), Some(Turn::Asked));
        let own = alert(OWN, &[HOSPITAL], Severity::High);
        assert_eq!(own_turn(&own, &all, DUE), Some(Turn::Elsewhere));
        assert_eq!(turn(&own, &all, DUE), Some(Turn::Asked));
    }

    #[test]
    fn what_matters_stays_until_somebody_sees_to_it_and_what_is_good_to_know_until_it_is_known() {
        let all = [OWN, CPTS];
        let seen = |severity| answered(alert(CPTS, &[], severity), OWN, AlertStep::Acknowledge, 20);
        assert_eq!(turn(&seen(Severity::High), &all, 30), Some(Turn::Asked));
        assert_eq!(turn(&seen(Severity::Medium), &all, 30), Some(Turn::Asked));
        assert_eq!(turn(&seen(Severity::Low), &all, 30), Some(Turn::Done));
        assert_eq!(turn(&seen(Severity::Low), &all, 20 + DONE_MS), None);
        // Another structure knows it, this one does not yet.
        let sender = answered(
            alert(CPTS, &[], Severity::Low),
            CPTS,
            AlertStep::Acknowledge,
            20,
        );
        assert_eq!(turn(&sender, &all, 30), Some(Turn::Asked));
        let taken = answered(seen(Severity::High), OWN, AlertStep::TakeCharge, 40);
        assert_eq!(turn(&taken, &all, 50), Some(Turn::Taken));
        let closed = answered(taken, CPTS, AlertStep::Close, 60);
        assert_eq!(turn(&closed, &all, 70), Some(Turn::Done));
        assert_eq!(turn(&closed, &all, 60 + DONE_MS), None);
    }

    #[test]
    fn in_one_gravity_who_has_no_answer_comes_first_and_then_who_is_due_first() {
        let of = |severity, due: u64, seen: bool| {
            let mut entry = alert(CPTS, &[], severity);
            if let Some(asked) = entry.asked.as_mut() {
                asked.answer_by_ms = due;
            }
            if seen {
                entry = answered(entry, OWN, AlertStep::Acknowledge, 20);
            }
            place_of(&entry, Turn::Asked, 500)
        };
        use Severity::{High, Low, Medium};
        let places = [
            of(High, 400, false),
            of(High, 600, false),
            of(High, 0, false),
            of(High, 550, true),
            of(Low, 450, false),
            of(Medium, 600, false),
            of(Medium, 550, true),
            of(Low, 600, false),
        ];
        assert!(places.is_sorted(), "{places:?}");
    }
}
