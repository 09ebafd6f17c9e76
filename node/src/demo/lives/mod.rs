//! Whom the three territories look after beside the person of the main story, and what happened around each in the past weeks. None of them exists:
//! names, dates and words are of our own invention, the communes of birth have no such codes, nobody has a number.

mod cpts;
mod dac;
mod hospital;

use maillon_protocol::content::{
    AlertStep, IdentityStatus, NoteKind, PartialDate, Party, PatientIdentity, Severity, Sex,
};

use super::{
    people::Voice,
    story::{self, Moment},
    territory::Place,
};

const INFORMED: &str = "Information donnée de vive voix, notice remise.";

/// A person's file and what it tells.
pub(super) struct Life {
    /// Who it is about.
    pub(super) who: Who,
    /// Who opens the file, and when.
    pub(super) opened: (Voice, Moment),
    /// How the person was informed.
    pub(super) informed: &'static str,
    /// Why.
    pub(super) reason: &'static str,
    /// Somebody close who is noted in the team.
    pub(super) close: Option<fn() -> Party>,
    /// The territories that are invited on that day and accept.
    pub(super) shared: &'static [Place],
    /// One that was invited later and has not answered.
    pub(super) invited: Option<(Place, Moment)>,
    /// Who is in the team beside those who speak.
    pub(super) team: &'static [Voice],
    /// What happened, in its order.
    pub(super) events: &'static [Event],
    /// When the file was closed.
    pub(super) closed: Option<Moment>,
}

/// Somebody, in more or fewer words.
pub(super) enum Who {
    /// By the five traits.
    Traits(Person),
    /// With number, address and telephone.
    Whole(fn() -> PatientIdentity),
}

impl Who {
    /// As a form would have it.
    pub(super) fn identity(&self) -> PatientIdentity {
        match self {
            Self::Traits(person) => person.identity(),
            Self::Whole(identity) => identity(),
        }
    }
}

/// Somebody, by the five traits.
pub(super) struct Person {
    /// Birth name.
    pub(super) name: &'static str,
    /// First given name.
    pub(super) given: &'static str,
    /// Used name; empty where it is the birth name.
    pub(super) used: &'static str,
    /// `1941-07-19`.
    pub(super) born: &'static str,
    /// Sex.
    pub(super) sex: Sex,
}

/// Something that somebody did.
pub(super) struct Event {
    /// When.
    pub(super) at: Moment,
    /// Who.
    pub(super) voice: Voice,
    /// What.
    pub(super) deed: Deed,
}

/// What people do in a file.
pub(super) enum Deed {
    /// A note.
    Note(NoteKind, &'static str),
    /// An answer to the newest note.
    Reply(&'static str),
    /// An alert, to be answered within so many hours; 0: whenever.
    Alert(Severity, u64, &'static str),
    /// A step towards the end of the newest alert.
    Answer(AlertStep, &'static str),
}

const fn person(
    name: &'static str,
    given: &'static str,
    used: &'static str,
    born: &'static str,
    sex: Sex,
) -> Person {
    Person {
        name,
        given,
        used,
        born,
        sex,
    }
}

pub(super) const fn note(at: Moment, voice: Voice, kind: NoteKind, text: &'static str) -> Event {
    Event {
        at,
        voice,
        deed: Deed::Note(kind, text),
    }
}

const fn reply(at: Moment, voice: Voice, text: &'static str) -> Event {
    Event {
        at,
        voice,
        deed: Deed::Reply(text),
    }
}

pub(super) const fn alert(
    at: Moment,
    voice: Voice,
    severity: Severity,
    within_h: u64,
    text: &'static str,
) -> Event {
    Event {
        at,
        voice,
        deed: Deed::Alert(severity, within_h, text),
    }
}

pub(super) const fn answer(at: Moment, voice: Voice, step: AlertStep, text: &'static str) -> Event {
    Event {
        at,
        voice,
        deed: Deed::Answer(step, text),
    }
}

/// A life that stays within its territory.
const fn at_home(
    person: Person,
    opened: (Voice, Moment),
    reason: &'static str,
    events: &'static [Event],
) -> Life {
    Life {
        who: Who::Traits(person),
        opened,
        informed: INFORMED,
        reason,
        close: None,
        shared: &[],
        invited: None,
        team: &[],
        events,
        closed: None,
    }
}

impl Life {
    const fn shared_with(mut self, places: &'static [Place]) -> Self {
        self.shared = places;
        self
    }

    const fn inviting(mut self, place: Place, at: Moment) -> Self {
        self.invited = Some((place, at));
        self
    }

    const fn with(mut self, team: &'static [Voice]) -> Self {
        self.team = team;
        self
    }

    const fn closed(mut self, at: Moment) -> Self {
        self.closed = Some(at);
        self
    }
}

/// Where people of these territories are born: Brest, Concarneau, Douarnenez, Le Havre, Lorient, Morlaix, Pont-l’Abbé, Quimper.
const BIRTH_PLACES: [&str; 8] = [
    "29019", "29039", "29046", "76351", "56121", "29151", "29220", "29232",
];

impl Person {
    fn birth_place(&self) -> &'static str {
        let sum = self.name.bytes().chain(self.given.bytes()).map(usize::from);
        BIRTH_PLACES[sum.sum::<usize>() % BIRTH_PLACES.len()]
    }

    fn identity(&self) -> PatientIdentity {
        PatientIdentity {
            birth_name: self.name.to_uppercase(),
            birth_given_names: vec![self.given.to_uppercase()],
            used_name: self.used.to_uppercase(),
            used_given_name: String::new(),
            birth_date: PartialDate::try_from(self.born.to_owned()).ok(),
            sex: self.sex,
            birth_place: self.birth_place().to_owned(),
            ins: None,
            status: IdentityStatus::Validated,
            validated_by: "CN".to_owned(),
            contacts: Vec::new(),
            identifiers: Vec::new(),
        }
    }
}

/// Everybody.
pub(super) fn all() -> impl Iterator<Item = &'static Life> {
    let first = std::iter::once(&story::MAIN);
    first
        .chain(dac::LIVES)
        .chain(cpts::LIVES)
        .chain(hospital::LIVES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dozen_persons_in_each_territory_and_nothing_that_is_still_to_come() {
        let now_ms = 1_795_694_400_000;
        for place in Place::ALL {
            let lives = all().filter(|life| life.opened.0.place() == place);
            assert!(lives.count() >= 12, "{}", place.name());
        }
        for life in all() {
            let mut before = life.opened.1.ms(now_ms);
            assert!(life.who.identity().birth_date.is_some());
            for event in life.events {
                let at = event.at.ms(now_ms);
                assert!(before < at && at < now_ms, "{}", life.reason);
                before = at;
                let place = event.voice.place();
                let in_it = place == life.opened.0.place() || life.shared.contains(&place);
                assert!(in_it, "{}: who is not in the circle speaks", life.reason);
            }
        }
    }
}
