//! Terms in a team: begun with a role and a period, ended, and which of them is the referent's.
//!
//! A term is changed by a new version that takes the place of the one before; whoever comes back has another term. Terms belong to the circle: each structure in
//! it may end each of them.

use jiff::civil::Date;
use maillon_protocol::{
    content::{Content, Kind, PartialDate, Participation, Party, Period},
    ids::{CircleId, RecordId, ThingId},
    replica::Draft,
};

use super::{Known, MemberRole, TeamMember, Term, lasts, team_thing};
use crate::{
    audit::About,
    care::{Actor, Care, CareError, Category, audit, fresh, read},
    clock::today,
    ledger::Tx,
};

/// How somebody takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTerm {
    /// As what, beside their profession.
    pub role: Option<MemberRole>,
    /// The first day.
    pub start: Option<PartialDate>,
    /// The last day.
    pub end: Option<PartialDate>,
    /// Whether they are the person's referent from now on, in the place of whoever is.
    pub referent: bool,
}

/// When a term ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermEnd {
    /// Before today: the file is open to them no more.
    Now,
    /// With this day.
    On(PartialDate),
}

/// A term as it stands.
struct Held {
    thing: ThingId,
    parent: Option<ThingId>,
    /// All versions that stand, of which a new one takes the place; the newest first.
    standing: Vec<RecordId>,
    occurred_ms: u64,
    participation: Participation,
}

impl Held {
    /// The next version.
    fn next(self, actor: &Actor, change: impl FnOnce(&mut Participation)) -> Draft {
        let mut participation = self.participation;
        change(&mut participation);
        Draft {
            thing: Some(self.thing),
            supersedes: self.standing,
            ..fresh(actor, Content::Participation(participation), self.parent)
        }
    }

    fn is_referent(&self, today: &str) -> bool {
        self.participation.referent && lasts(&self.participation.period, today)
    }
}

/// Whether a day, or a month or a year, is later than another; one that lies in the other is not.
fn is_later(one: &PartialDate, other: &str) -> bool {
    let as_far = one.as_str().len().min(other.len());
    one.as_str().get(..as_far) > other.get(..as_far)
}

/// Whether a period ends before it begins.
fn is_reversed(period: &Period) -> bool {
    let (start, end) = (&period.start, &period.end);
    matches!((start, end), (Some(start), Some(end)) if is_later(start, end.as_str()))
}

/// Whether two terms are of one person and at one time.
fn is_twice(one: &Participation, other: &Participation) -> bool {
    let (Some(person), Some(same)) = (Term::of(one), Term::of(other)) else {
        return false;
    };
    // One from the first day of the one to the last of the other: it is reversed where they are apart.
    let between = |from: &Participation, to: &Participation| Period {
        start: from.period.start.clone(),
        end: to.period.end.clone(),
    };
    let apart = is_reversed(&between(one, other)) || is_reversed(&between(other, one));
    !apart && person.marks.iter().any(|mark| same.marks.contains(mark))
}

/// Whether a period is over on a day.
pub(super) fn is_over(period: &Period, day: &str) -> bool {
    let ended = Period {
        start: None,
        end: period.end.clone(),
    };
    !lasts(&ended, day)
}

fn day_before(day: &str) -> Option<PartialDate> {
    let before = day.parse::<Date>().ok()?.yesterday().ok()?;
    PartialDate::try_from(before.to_string()).ok()
}

/// A period that ends so; whoever came today and goes at once was never there, so nothing is said of their first day.
fn ended(period: &Period, end: TermEnd, today: &str) -> Result<Period, CareError> {
    let mut period = period.clone();
    match end {
        TermEnd::On(day) => period.end = Some(day),
        TermEnd::Now => {
            let last = day_before(today).ok_or(CareError::Period)?;
            period.start = period.start.filter(|start| !is_later(start, last.as_str()));
            period.end = Some(last);
        }
    }
    if is_reversed(&period) {
        return Err(CareError::Period);
    }
    Ok(period)
}

/// In which category a term is written: who is close to somebody is social, who cares for them belongs to the file.
pub(super) const fn category(party: &Party) -> Category {
    match party {
        Party::RelatedPerson { .. } => Category::Social,
        Party::Professional(_) | Party::Organisation(..) => Category::Administration,
    }
}

impl Care {
    /// Adds somebody to a person's team, with their role and period.
    ///
    /// # Errors
    /// [`CareError::InTeam`] where they are in it, [`CareError::Period`], [`CareError::Role`] where their profession cannot be it, [`CareError::Referent`] where
    /// they would be the referent and their term does not last today, or has a last day.
    pub async fn add_member(
        &self,
        actor: &Actor,
        circle: CircleId,
        whom: &Known,
        term: NewTerm,
    ) -> Result<(), CareError> {
        // Of two clicks the second finds them there.
        let _one = self.once.lock().await;
        self.may_add_member(actor, &circle, whom, &term)?;
        let begun = participation(whom, &term);
        let parent = team_thing(self.shared(), &circle)?;
        let draft = fresh(actor, Content::Participation(begun), parent);
        let mut drafts = vec![(draft, "team.add")];
        if term.referent {
            let (all, today) = (self.held_terms(&circle)?, today());
            let before = all.into_iter().filter(|one| one.is_referent(&today));
            drafts.extend(before.map(|one| hands_over(one, actor)));
        }
        self.write_terms(actor, circle, drafts).await
    }

    /// Checks a term before anything else is done for it.
    ///
    /// # Errors
    /// As [`Care::add_member`].
    pub fn may_add_member(
        &self,
        actor: &Actor,
        circle: &CircleId,
        whom: &Known,
        term: &NewTerm,
    ) -> Result<(), CareError> {
        self.may_write_in(actor, circle, &[Category::Administration])?;
        let (wanted, today) = (participation(whom, term), today());
        if is_reversed(&wanted.period) {
            return Err(CareError::Period);
        }
        // Whoever is the referent stays it until somebody else is: a file that goes on has one.
        if term.referent && (!lasts(&wanted.period, &today) || wanted.period.end.is_some()) {
            return Err(CareError::Referent);
        }
        if term
            .role
            .is_some_and(|role| !role.suits(&whom.professional))
        {
            return Err(CareError::Role);
        }
        let held = self.held_terms(circle)?;
        let mut there = held.iter().map(|one| &one.participation);
        if there.any(|one| !is_over(&one.period, &today) && is_twice(one, &wanted)) {
            return Err(CareError::InTeam);
        }
        Ok(())
    }

    /// A term as somebody may change it; none where it stands no more as it was seen.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`], [`CareError::NotAllowed`].
    pub fn term(
        &self,
        actor: &Actor,
        circle: &CircleId,
        record: &RecordId,
    ) -> Result<Option<TeamMember>, CareError> {
        let held = self.held_term(actor, circle, record)?;
        Ok(held.map(|held| TeamMember::on(&today(), *record, held.participation)))
    }

    /// Ends a term.
    ///
    /// # Errors
    /// [`CareError::Amended`] where it stands no more as it was seen, or is over; [`CareError::Period`] where it would end before it begins;
    /// [`CareError::Referent`] where the file would have no referent any more.
    pub async fn end_term(
        &self,
        actor: &Actor,
        circle: CircleId,
        record: RecordId,
        end: TermEnd,
    ) -> Result<(), CareError> {
        let _one = self.once.lock().await;
        let held = self.held_term(actor, &circle, &record)?;
        let (held, today) = (held.ok_or(CareError::Amended)?, today());
        if is_over(&held.participation.period, &today) {
            return Err(CareError::Amended);
        }
        if held.is_referent(&today) {
            return Err(CareError::Referent);
        }
        let period = ended(&held.participation.period, end, &today)?;
        let draft = held.next(actor, |term| term.period = period);
        self.write_terms(actor, circle, vec![(draft, "team.end")])
            .await
    }

    /// Makes somebody of the team the referent, in the place of whoever is.
    ///
    /// # Errors
    /// [`CareError::Amended`] where the term stands no more as it was seen; [`CareError::Referent`] where it is no professional's, does not last today, or has a last day.
    pub async fn hand_reference(
        &self,
        actor: &Actor,
        circle: CircleId,
        record: RecordId,
    ) -> Result<(), CareError> {
        let _one = self.once.lock().await;
        let held = self.held_term(actor, &circle, &record)?;
        let (held, today) = (held.ok_or(CareError::Amended)?, today());
        let is_professional = matches!(held.participation.party, Party::Professional(_));
        let period = &held.participation.period;
        if !is_professional || !lasts(period, &today) || period.end.is_some() {
            return Err(CareError::Referent);
        }
        let all = self.held_terms(&circle)?.into_iter();
        let before = all.filter(|one| one.thing != held.thing && one.is_referent(&today));
        let mut drafts: Vec<_> = before.map(|one| hands_over(one, actor)).collect();
        let next = held.next(actor, |term| term.referent = true);
        drafts.insert(0, (next, "team.referent"));
        self.write_terms(actor, circle, drafts).await
    }

    /// Writes terms and their lines in the audit trail, in one commit.
    pub(super) async fn write_terms(
        &self,
        actor: &Actor,
        circle: CircleId,
        drafts: Vec<(Draft, &'static str)>,
    ) -> Result<(), CareError> {
        let by = actor.clone();
        self.ledger
            .run(move |tx: &mut Tx<'_>| {
                let (drafts, actions): (Vec<_>, Vec<_>) = drafts.into_iter().unzip();
                let now = tx.now_ms;
                let written = tx.replica.write(tx.rows, &circle, drafts, now, tx.rng)?;
                for (one, action) in written.iter().zip(actions) {
                    audit::note(tx, &by, action, About::record(circle, one.record))?;
                }
                Ok::<_, CareError>(())
            })
            .await?;
        self.refresh_file(&circle)?;
        Ok(())
    }

    fn held_term(
        &self,
        actor: &Actor,
        circle: &CircleId,
        record: &RecordId,
    ) -> Result<Option<Held>, CareError> {
        // Who is not in the team is not told whether there is such a term.
        self.in_team(actor, circle)?;
        let mut all = self.held_terms(circle)?.into_iter();
        let Some(held) = all.find(|one| one.standing.first() == Some(record)) else {
            // Nor is whoever may change only some of them.
            self.may_write_in(actor, circle, &[Category::Administration, Category::Social])?;
            return Ok(None);
        };
        self.may_write_in(actor, circle, &[category(&held.participation.party)])?;
        Ok(Some(held))
    }

    /// The terms of a circle as they stand: of each the newest version.
    fn held_terms(&self, circle: &CircleId) -> Result<Vec<Held>, CareError> {
        let shared = self.shared();
        let mut all = Vec::new();
        for (thing, one) in read::things(shared, circle)? {
            if one.kind() != Some(Kind::Participation as u64) {
                continue;
            }
            let standing: Vec<RecordId> =
                read::standing(&one).iter().map(|one| one.record).collect();
            let Some(newest) = standing.first() else {
                continue;
            };
            if let Some((_, opened)) = read::opened(shared, newest)?
                && let Content::Participation(participation) = opened.content
            {
                all.push(Held {
                    thing,
                    parent: one.parent.first().copied(),
                    standing,
                    occurred_ms: opened.envelope.occurred_ms,
                    participation,
                });
            }
        }
        Ok(all)
    }
}

/// A term as it is written.
fn participation(whom: &Known, term: &NewTerm) -> Participation {
    Participation {
        party: whom.party.clone(),
        roles: term.role.map(MemberRole::code).into_iter().collect(),
        period: Period {
            start: term.start.clone(),
            end: term.end.clone(),
        },
        referent: term.referent,
    }
}

/// The term of a referent who is it no more.
fn hands_over(term: Held, actor: &Actor) -> (Draft, &'static str) {
    // What is told of it is still when they came.
    let occurred_ms = term.occurred_ms;
    let draft = Draft {
        occurred_ms,
        ..term.next(actor, |term| term.referent = false)
    };
    (draft, "team.referent")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Option<PartialDate> {
        PartialDate::try_from(text.to_owned()).ok()
    }

    fn period(start: &str, end: &str) -> Period {
        Period {
            start: date(start),
            end: date(end),
        }
    }

    #[test]
    fn a_period_is_reversed_where_its_end_lies_wholly_before_its_beginning() {
        for (start, end, reversed) in [
            ("2026-11-27", "2026-11-27", false),
            ("2026-11-27", "2026-11-26", true),
            ("2026-11", "2026-11-26", false),
            ("2026-11-27", "2026-11", false),
            ("2026-11-27", "2026-10", true),
            ("2027", "2026-12-31", true),
            ("", "2026", false),
            ("2026", "", false),
        ] {
            assert_eq!(is_reversed(&period(start, end)), reversed, "{start} {end}");
        }
    }

    #[test]
    fn a_term_that_ends_now_lasts_today_no_more_and_whoever_came_today_was_never_there() {
        let today = "2026-03-01";
        for (start, begins) in [
            ("2025-09-03", Some("2025-09-03")),
            ("2026-02-28", Some("2026-02-28")),
            ("2026-02", Some("2026-02")),
            ("2026-03-01", None),
            ("2026", Some("2026")),
            ("", None),
        ] {
            let ended = ended(&period(start, ""), TermEnd::Now, today).expect("an end");
            assert_eq!(ended.start, begins.and_then(date), "{start}");
            assert_eq!(ended.end, date("2026-02-28"));
            assert!(!lasts(&ended, today) && is_over(&ended, today));
        }
    }

    #[test]
    fn a_term_ends_on_a_day_that_is_not_before_its_first() {
        let from = period("2025-09-03", "");
        let on = |day: &str| ended(&from, TermEnd::On(date(day).expect("a day")), "2026-03-01");
        assert!(on("2026-12-31").is_ok() && on("2025-09-03").is_ok());
        assert!(matches!(on("2025-09-02"), Err(CareError::Period)));
    }
}
