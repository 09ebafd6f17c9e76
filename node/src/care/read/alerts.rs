//! Alerts of all circles, found by the index: where each stands, the most urgent first.

use std::{collections::BTreeMap, fmt, str::FromStr};

use maillon_protocol::{
    admin::{AlertLine, AlertPage, AlertView, AnswerView},
    cbor,
    circle::Circle,
    content::Severity,
    dossier::{AlertEntry, Answer, Asked, Delivery},
    ids::{CircleId, NodeId, RecordId, ThingId},
    replica::{Row, RowPrefix, Rows},
};

use super::{Around, NoMark, opened};
use crate::care::{Care, CareError};
use maillon_protocol::content::Content;

/// Most alerts in one page.
const MOST_ALERTS: usize = 200;
/// About how many bytes of them.
const MOST_BYTES: usize = 600 << 10;
/// Characters of a text in a list.
const BEGINNING: usize = 300;

/// Which alerts are asked for.
#[derive(Debug, Clone)]
pub struct AlertsWanted {
    /// Those of these circles; of all, where none are named.
    pub circles: Option<Vec<CircleId>>,
    /// Those only that are open, in circles where this node may still answer.
    pub open: bool,
    /// Behind the last one of the page before.
    pub after: Option<AlertMark>,
    /// At most so many.
    pub limit: usize,
}

/// Where an alert stands in a list: in which group (what is most urgent is the first), where in that group, which record.
type Place = (u8, u64, RecordId);

/// Where a page of alerts ended, and the moment by which the pages are in order: what became overdue since changes no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertMark {
    now_ms: u64,
    place: Place,
}

impl fmt::Display for AlertMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (group, order, record) = self.place;
        write!(f, "{}.{group}.{order}.{record}", self.now_ms)
    }
}

impl FromStr for AlertMark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let parts: Vec<&str> = text.split('.').collect();
        let [now_ms, group, order, record] = parts[..] else {
            return Err(NoMark);
        };
        Ok(Self {
            now_ms: now_ms.parse().map_err(|_| NoMark)?,
            place: (
                group.parse().map_err(|_| NoMark)?,
                order.parse().map_err(|_| NoMark)?,
                record.parse().map_err(|_| NoMark)?,
            ),
        })
    }
}

/// What is to be looked at now first: high ones that are overdue, high ones that are open, others that are overdue, each with the longest wait
/// first; then the newest first.
fn place_of(asked: &Asked, open: bool, overdue: bool) -> Place {
    let high = asked.severity == Severity::High;
    match (high, open, overdue) {
        (true, _, true) => (0, asked.answer_by_ms, asked.record),
        (true, true, false) => (1, asked.time.0, asked.record),
        (false, _, true) => (2, asked.answer_by_ms, asked.record),
        _ => (3, u64::MAX - asked.time.0, asked.record),
    }
}

/// How much of the answers is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// The weightiest of each structure, with the beginning of its words.
    Weightiest,
    /// All that fit.
    All,
}

fn beginning(text: &str) -> String {
    let mut characters = text.chars();
    let mut cut: String = characters.by_ref().take(BEGINNING).collect();
    if characters.next().is_some() {
        cut.push('…');
    }
    cut
}

impl Care {
    /// The alerts of a circle, as the index has them.
    pub(in crate::care) fn alert_entries(
        &self,
        circle: &CircleId,
    ) -> Result<Vec<AlertEntry>, CareError> {
        let rows = self.shared().rows().scan(&RowPrefix::Alerts(*circle))?;
        rows.iter().map(|bytes| read_entry(bytes)).collect()
    }

    /// An alert with its answers.
    pub(in crate::care) fn alert_entry(
        &self,
        circle: &CircleId,
        thing: &ThingId,
    ) -> Result<Option<AlertEntry>, CareError> {
        let row = self.shared().rows().get(&Row::Alert(*circle, *thing))?;
        row.map(|bytes| read_entry(&bytes)).transpose()
    }

    /// A page of alerts. Only those of the page are opened; the others are known by the index.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn alerts(&self, wanted: &AlertsWanted, now_ms: u64) -> Result<AlertPage, CareError> {
        let shared = self.shared();
        let now_ms = wanted.after.map_or(now_ms, |mark| mark.now_ms);
        let limit = wanted.limit.clamp(1, MOST_ALERTS);
        let circles: Vec<_> = match &wanted.circles {
            Some(some) => {
                let held = some.iter().map(|one| shared.circle(one));
                held.collect::<Option<_>>().ok_or(CareError::NoCircle)?
            }
            None => shared.circles(),
        };
        // The first of those behind the mark, and one more that says whether there is another page.
        let mut found: BTreeMap<Place, (CircleId, ThingId, bool)> = BTreeMap::new();
        for circle in &circles {
            let member = |node: &NodeId| circle.charter.is_member(node);
            let answerable =
                circle.charter.is_member(&shared.own()) && !circle.charter.state().closed;
            for entry in self.alert_entries(&circle.id())? {
                let Some(asked) = &entry.asked else {
                    continue;
                };
                let open = answerable && entry.is_open(member);
                if wanted.open && !open {
                    continue;
                }
                let overdue = open && entry.is_overdue(now_ms, member);
                let place = place_of(asked, open, overdue);
                if wanted.after.is_some_and(|mark| place <= mark.place) {
                    continue;
                }
                found.insert(place, (circle.id(), entry.thing, overdue));
                if found.len() > limit + 1 {
                    found.pop_last();
                }
            }
        }
        let mut page = AlertPage {
            alerts: Vec::new(),
            next: None,
        };
        let mut around: BTreeMap<CircleId, (Around, String)> = BTreeMap::new();
        let (mut bytes, mut last) = (0, None);
        for (place, (id, thing, overdue)) in found {
            if page.alerts.len() >= limit || bytes >= MOST_BYTES {
                page.next = last.map(|place| AlertMark { now_ms, place }.to_string());
                break;
            }
            last = Some(place);
            let Some(circle) = shared.circle(&id) else {
                continue;
            };
            if let std::collections::btree_map::Entry::Vacant(free) = around.entry(id) {
                free.insert((self.around(&id)?, self.patient_of(&id)?));
            }
            let (around, patient) = &around[&id];
            let line = self.alert_line(&circle, &thing, (overdue, patient), around)?;
            bytes += (line.as_ref())
                .and_then(|line| serde_json::to_string(line).ok())
                .map_or(0, |json| json.len());
            page.alerts.extend(line);
        }
        Ok(page)
    }

    /// How people call the person whom a circle is about; empty where nothing is known.
    fn patient_of(&self, circle: &CircleId) -> Result<String, CareError> {
        let identities = super::identities(self.shared(), circle)?;
        Ok(identities.first().map_or_else(String::new, |person| {
            let or = |used: &String, birth: Option<&String>| {
                if used.is_empty() {
                    birth.cloned().unwrap_or_default()
                } else {
                    used.clone()
                }
            };
            let given = or(&person.used_given_name, person.birth_given_names.first());
            let name = or(&person.used_name, Some(&person.birth_name));
            format!("{name} {given}").trim().to_owned()
        }))
    }

    /// One line of the list; none where the alert has gone since the index was read.
    pub(in crate::care) fn alert_line(
        &self,
        circle: &Circle,
        thing: &ThingId,
        (overdue, patient): (bool, &str),
        around: &Around,
    ) -> Result<Option<AlertLine>, CareError> {
        let Some(entry) = self.alert_entry(&circle.id(), thing)? else {
            return Ok(None);
        };
        let Some(asked) = &entry.asked else {
            return Ok(None);
        };
        let (by, text) = match opened(self.shared(), &asked.record)? {
            Some((_, opened)) => match opened.content {
                Content::Alert(alert) => (opened.envelope.author.name, beginning(&alert.text)),
                _ => return Ok(None),
            },
            None => (String::new(), String::new()),
        };
        Ok(Some(AlertLine {
            circle: circle.id(),
            patient: patient.to_owned(),
            record: asked.record,
            thing: entry.thing,
            node: asked.node,
            structure: around.names.of(&asked.node),
            by,
            written_ms: asked.time.ms(),
            text,
            overdue,
            alert: self.alert_view(circle, &entry, asked, around, Shown::Weightiest)?,
        }))
    }

    /// Where an alert stands, and who has answered.
    pub(super) fn alert_view(
        &self,
        circle: &Circle,
        entry: &AlertEntry,
        asked: &Asked,
        around: &Around,
        shown: Shown,
    ) -> Result<AlertView, CareError> {
        let weightiest = entry.structures();
        let mut structures =
            self.delivery_of(circle, &asked.record, asked.node, asked.time.ms(), around)?;
        for (node, _, delivery) in &mut structures {
            if let Some(answer) = weightiest.get(node) {
                *delivery = Delivery::Answered {
                    step: answer.step,
                    at_ms: answer.time.ms(),
                };
            }
        }
        let answers = match shown {
            Shown::All => entry.in_order(),
            Shown::Weightiest => {
                let mut each: Vec<Answer> = weightiest.into_values().collect();
                each.sort_by_key(|answer| (answer.time, answer.record));
                each
            }
        };
        let member = |node: &NodeId| circle.charter.is_member(node);
        let mut view = AlertView {
            left: asked.is_orphaned(member),
            severity: asked.severity,
            step: entry.step(),
            open: entry.is_open(member),
            answer_by_ms: Some(asked.answer_by_ms).filter(|until| *until != 0),
            addressees: (asked.addressees.iter())
                .map(|node| (*node, around.names.of(node)))
                .collect(),
            structures,
            answers: Vec::new(),
            more: 0,
        };
        let mut bytes = 0;
        for answer in answers {
            if bytes >= MOST_BYTES {
                view.more += 1;
                continue;
            }
            let (by, comment) = match opened(self.shared(), &answer.record)? {
                Some((_, opened)) => match opened.content {
                    Content::AlertAnswer(said) => (opened.envelope.author.name, said.comment),
                    _ => (String::new(), String::new()),
                },
                None => (String::new(), String::new()),
            };
            bytes += 512 + by.len() + comment.len();
            view.answers.push(AnswerView {
                record: answer.record,
                node: answer.node,
                structure: around.names.of(&answer.node),
                by,
                step: answer.step,
                at_ms: answer.time.ms(),
                comment: match shown {
                    Shown::All => comment,
                    Shown::Weightiest => beginning(&comment),
                },
            });
        }
        Ok(view)
    }
}

fn read_entry(bytes: &[u8]) -> Result<AlertEntry, CareError> {
    cbor::decode(bytes).map_err(|_| {
        super::damaged("the index of alerts cannot be read: run `maillonctl sync rebuild`")
    })
}

#[cfg(test)]
mod tests {
    use maillon_protocol::time::Timestamp;

    use super::*;

    #[test]
    fn what_is_to_be_looked_at_now_comes_first_and_the_longest_wait_before_that() {
        use Severity::{High, Low};
        let asked = |id: u8, severity, written: u64, until: u64| Asked {
            record: RecordId([id; 32]),
            node: NodeId([1; 32]),
            time: Timestamp::from_ms(written),
            severity,
            answer_by_ms: until,
            addressees: std::collections::BTreeSet::new(),
        };
        let mut places = [
            place_of(&asked(8, Low, 10, 0), true, false),
            place_of(&asked(7, Low, 40, 0), true, false),
            place_of(&asked(6, High, 90, 0), false, false),
            place_of(&asked(5, Low, 20, 30), true, true),
            place_of(&asked(4, Low, 15, 25), true, true),
            place_of(&asked(3, High, 60, 0), true, false),
            place_of(&asked(2, High, 50, 0), true, false),
            place_of(&asked(1, High, 70, 80), true, true),
        ];
        places.sort_unstable();
        let order: Vec<u8> = places.iter().map(|(.., record)| record.0[0]).collect();
        assert_eq!(order, [1, 2, 3, 4, 5, 6, 7, 8]);
        // Two of one millisecond stand as they were written, whatever their ids.
        let (first, mut second) = (asked(9, High, 50, 0), asked(1, High, 50, 0));
        second.time = Timestamp(first.time.0 + 1);
        assert!(place_of(&first, true, false) < place_of(&second, true, false));
    }

    #[test]
    fn a_mark_is_read_as_it_was_written_and_nothing_else_is() {
        let mark = AlertMark {
            now_ms: 1_795_348_800_000,
            place: (1, u64::MAX - 7, RecordId([0x9c; 32])),
        };
        assert_eq!(mark.to_string().parse(), Ok(mark));
        for wrong in ["", "1.0.2", "1.0.2.zz", "1.300.2.9c", "1.0.2.9c.3"] {
            assert_eq!(wrong.parse::<AlertMark>(), Err(NoMark), "{wrong}");
        }
    }
}
