//! The team of a person: who is found and added, who is close, how terms end and who the referent is; and who may do any of it. Over a real database.
#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on should say where"
)]

mod ground;
#[path = "ground/site.rs"]
mod site;

use std::collections::BTreeSet;

use maillon_node::care::{
    Actor, CareError, Kin, Known, MemberRole, NameWanted, NewFile, NewRelative, NewTerm,
    PhoneNumber, RelativeRole, Shown, TeamMember, TermEnd,
};
use maillon_protocol::{
    content::{
        Consent, ConsentDecision, ConsentKind, Content, IdentityStatus, PartialDate, Party,
        PatientIdentity, Sex,
    },
    ids::{CircleId, RecordId},
    replica::Draft,
};
use site::{Site, site};

fn leontine() -> PatientIdentity {
    PatientIdentity {
        birth_name: "QUESNEVILLE".to_owned(),
        birth_given_names: vec!["LÉONTINE".to_owned()],
        used_name: String::new(),
        used_given_name: String::new(),
        birth_date: PartialDate::try_from("1941-02-23".to_owned()).ok(),
        sex: Sex::Female,
        birth_place: "76540".to_owned(),
        ins: None,
        status: IdentityStatus::Provisional,
        validated_by: String::new(),
        contacts: Vec::new(),
        identifiers: Vec::new(),
    }
}

async fn opened(site: &Site, actor: &Actor) -> CircleId {
    let file = NewFile {
        identity: leontine(),
        consent: Consent {
            kind: ConsentKind::NonOpposition,
            decision: ConsentDecision::Given,
            answered_by: String::new(),
            how: String::new(),
        },
        reason: "Retour d’hospitalisation.".to_owned(),
        seen: Vec::new(),
    };
    site.care.open_file(actor, file).await.expect("a file")
}

async fn found(
    site: &Site,
    actor: &Actor,
    circle: &CircleId,
    typed: &str,
) -> Result<Vec<Known>, CareError> {
    let wanted = NameWanted {
        typed,
        page: 0,
        linked: &BTreeSet::new(),
    };
    let found = site.care.known_by_name(actor, circle, wanted).await?;
    Ok(found.people)
}

/// The one who is found by a name.
async fn one(site: &Site, actor: &Actor, circle: &CircleId, typed: &str) -> Known {
    let mut all = found(site, actor, circle, typed).await.expect("an answer");
    assert_eq!(all.len(), 1, "{all:?}");
    all.pop().expect("one")
}

fn date(text: &str) -> Option<PartialDate> {
    PartialDate::try_from(text.to_owned()).ok()
}

fn from(start: &str) -> NewTerm {
    NewTerm {
        role: None,
        start: date(start),
        end: None,
        referent: false,
    }
}

fn daughter() -> NewRelative {
    NewRelative {
        name: "Odile  Quesneville".to_owned(),
        kin: Kin::of("DAUC"),
        roles: vec![RelativeRole::Carer, RelativeRole::Trusted],
        phone: PhoneNumber::read("06 39 98 00 12").expect("a number"),
    }
}

fn name(member: &TeamMember) -> &str {
    match &member.participation.party {
        Party::Professional(one) => &one.name,
        Party::Organisation(one, _) => &one.name,
        Party::RelatedPerson { name, .. } => name,
    }
}

/// The terms of somebody, those that last first.
fn terms(site: &Site, actor: &Actor, circle: &CircleId, of: &str) -> Vec<TeamMember> {
    let team = site.care.team_of(actor, circle).expect("a team");
    team.into_iter().filter(|one| name(one) == of).collect()
}

fn record(site: &Site, actor: &Actor, circle: &CircleId, of: &str) -> RecordId {
    let terms = terms(site, actor, circle, of);
    terms.first().expect("a term").record
}

#[tokio::test]
async fn a_record_that_ends_a_term_shuts_the_file_at_the_next_look_whoever_wrote_it() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let other = site.somebody("Inès Delahaye", Some("60")).await.at_page();
    let circle = opened(&site, &nurse).await;
    let added = site.care.add_to_team(&nurse, circle, &other).await;
    added.expect("a colleague in the team");
    let read = site.care.read_file(&other, circle, Shown::All, None).await;
    read.expect("who is in the team reads");
    // As replication commits it: without a word to the services.
    let [ref term] = terms(&site, &nurse, &circle, "Inès Delahaye")[..] else {
        panic!("one term");
    };
    let view = site.care.view(&term.record).expect("a look");
    let mut ended = term.participation.clone();
    ended.period.start = date("2020-01-01");
    ended.period.end = date("2020-01-02");
    let draft = Draft {
        thing: view.map(|view| view.thing),
        parent: None,
        supersedes: vec![term.record],
        author: nurse.professional.clone(),
        occurred_ms: 1,
        content: Content::Participation(ended),
    };
    let job = site.ledger.run(move |tx| {
        let now = tx.now_ms;
        (tx.replica).write(tx.rows, &circle, vec![draft], now, &mut tx.rng)?;
        Ok::<_, CareError>(())
    });
    job.await.expect("a member writes");
    let read = site.care.read_file(&other, circle, Shown::All, None).await;
    assert!(matches!(read, Err(CareError::NotInTeam)));
    let read = site.care.read_file(&nurse, circle, Shown::All, None).await;
    read.expect("who stays in the team reads");
}

#[tokio::test]
async fn whoever_is_not_in_the_team_finds_nobody_adds_nobody_and_ends_nothing() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let other = site.somebody("Inès Delahaye", Some("60")).await.at_page();
    let circle = opened(&site, &nurse).await;
    let ines = one(&site, &nurse, &circle, "delahaye").await;
    let own = record(&site, &nurse, &circle, "Camille Roux");
    let added = site.care.add_relative(&nurse, circle, daughter()).await;
    added.expect("somebody close");
    let close = record(&site, &nurse, &circle, "Odile Quesneville");
    let before = site.size();
    let care = &site.care;
    let linked = BTreeSet::new();
    let tried = [
        (
            "search",
            found(&site, &other, &circle, "roux").await.map(drop),
        ),
        (
            "choose",
            care.known_as(&other, &circle, &ines.key, &linked).map(drop),
        ),
        (
            "check",
            care.may_add_member(&other, &circle, &ines, &from("2026")),
        ),
        (
            "add",
            care.add_member(&other, circle, &ines, from("2026")).await,
        ),
        (
            "relative",
            care.add_relative(&other, circle, daughter()).await,
        ),
        ("look", care.term(&other, &circle, &own).map(drop)),
        // Not even whether there is such a term.
        (
            "guess",
            care.term(&other, &circle, &RecordId([9; 32])).map(drop),
        ),
        (
            "end",
            care.end_term(&other, circle, close, TermEnd::Now).await,
        ),
        ("refer", care.hand_reference(&other, circle, own).await),
        ("received", care.received(&other, &circle).map(drop)),
    ];
    for (what, done) in tried {
        assert!(
            matches!(done, Err(CareError::NotInTeam)),
            "{what}: {done:?}"
        );
    }
    assert_eq!(site.size(), before, "nothing is left of what was refused");
}

#[tokio::test]
async fn professionals_are_added_by_those_who_manage_files_and_relatives_by_those_who_write_what_is_social()
 {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let circle = opened(&site, &nurse).await;
    // As shipped: a nursing auxiliary writes what is social and manages no file, a secretary the other way round.
    let auxiliary = site.somebody("Sacha Morin", Some("35")).await.at_page();
    let secretary = site.somebody("Dominique Petit", None).await.at_page();
    let pharmacist = site.somebody("Lou Anquetil", Some("21")).await.at_page();
    site.somebody("Inès Delahaye", Some("60")).await;
    for who in ["morin", "petit", "anquetil"] {
        let known = one(&site, &nurse, &circle, who).await;
        let added = site.care.add_member(&nurse, circle, &known, from("2026"));
        added.await.expect("a member");
    }
    let ines = one(&site, &nurse, &circle, "delahaye").await;
    let added = site.care.add_relative(&nurse, circle, daughter()).await;
    added.expect("somebody close");
    let close = record(&site, &nurse, &circle, "Odile Quesneville");
    let lou = record(&site, &nurse, &circle, "Lou Anquetil");
    let before = site.size();
    let care = &site.care;
    for (who, manages, writes_close) in [
        (&auxiliary, false, true),
        (&secretary, true, false),
        (&pharmacist, false, false),
    ] {
        let refused = |done: Result<(), CareError>| match done {
            Ok(()) => false,
            Err(CareError::NotAllowed(_)) => true,
            Err(other) => panic!("{other}"),
        };
        if !manages {
            assert!(refused(found(&site, who, &circle, "ines").await.map(drop)));
            assert!(refused(
                care.add_member(who, circle, &ines, from("2026")).await
            ));
            assert!(refused(care.end_term(who, circle, lou, TermEnd::Now).await));
            assert!(refused(care.hand_reference(who, circle, lou).await));
        }
        if !writes_close {
            assert!(refused(care.add_relative(who, circle, daughter()).await));
            assert!(refused(
                care.end_term(who, circle, close, TermEnd::Now).await
            ));
        }
    }
    assert_eq!(site.size(), before, "nothing is left of what was refused");
    let ended = care.end_term(&auxiliary, circle, close, TermEnd::Now).await;
    ended.expect("an end");
    let ended = care.end_term(&secretary, circle, lou, TermEnd::Now).await;
    ended.expect("an end");
    assert_eq!(site.last().0, "team.end");
}

#[tokio::test]
async fn a_search_knows_professionals_by_the_beginnings_of_their_words_and_nobody_who_is_close() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    site.somebody("Inès Delahaye-Béranger", Some("60")).await;
    site.somebody("Étienne Hauchecorne", Some("10")).await;
    let circle = opened(&site, &nurse).await;
    let added = site.care.add_relative(&nurse, circle, daughter()).await;
    added.expect("somebody close");
    let names = async |typed: &str| {
        let all = found(&site, &nurse, &circle, typed).await.expect("people");
        let names = all.into_iter().map(|one| one.professional.name);
        names.collect::<Vec<_>>()
    };
    assert_eq!(names("beran INES").await, ["Inès Delahaye-Béranger"]);
    assert_eq!(names("etienne").await, ["Étienne Hauchecorne"]);
    assert_eq!(names("médecin").await, ["Étienne Hauchecorne"]);
    assert_eq!(names("").await.len(), 3);
    for typed in ["quesneville", "odile", "leontine", "0639980012", "elahaye"] {
        assert_eq!(names(typed).await, Vec::<String>::new(), "{typed}");
    }
    // Those who are in the team are shown as such.
    assert!(one(&site, &nurse, &circle, "roux").await.follows);
    assert!(!one(&site, &nurse, &circle, "etienne").await.follows);
}

#[tokio::test]
async fn whoever_is_added_opens_the_file_for_as_long_as_the_term_lasts_and_comes_back_with_another()
{
    let site = site();
    let care = &site.care;
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let other = site.somebody("Inès Delahaye", Some("60")).await.at_page();
    let circle = opened(&site, &nurse).await;
    let ines = one(&site, &nurse, &circle, "delahaye").await;
    let opens = || care.opens(&other, &circle).expect("an answer");
    // Not before the first day, and not after the last.
    for (start, end) in [("2999-01-01", None), ("2020", Some("2020-12"))] {
        let term = NewTerm {
            end: end.and_then(date),
            ..from(start)
        };
        let added = care.add_member(&nurse, circle, &ines, term).await;
        added.expect("a term");
        assert!(!opens());
    }
    let until = NewTerm {
        role: Some(MemberRole::Correspondent),
        end: date("2998"),
        ..from("2021-02")
    };
    let added = care.add_member(&nurse, circle, &ines, until).await;
    added.expect("a term");
    assert_eq!(site.last().0, "team.add");
    assert!(opens());
    // Twice at one time is once.
    let twice = care.add_member(&nurse, circle, &ines, from("2026")).await;
    assert!(matches!(twice, Err(CareError::InTeam)), "{twice:?}");

    let all = terms(&site, &nurse, &circle, "Inès Delahaye");
    assert_eq!(all.len(), 3);
    assert!(all[0].lasts && all[0].participation.roles[0].code == "CORRE");
    let before = site.size();
    let early = TermEnd::On(date("2021-01").expect("a date"));
    let early = care.end_term(&nurse, circle, all[0].record, early).await;
    assert!(matches!(early, Err(CareError::Period)), "{early:?}");
    assert_eq!(site.size(), before);
    let ended = care.end_term(&nurse, circle, all[0].record, TermEnd::Now);
    ended.await.expect("an end");
    assert!(!opens());
    // What was seen before stands no more.
    let again = care.end_term(&nurse, circle, all[0].record, TermEnd::Now);
    assert!(matches!(again.await, Err(CareError::Amended)));
    let over = terms(&site, &nurse, &circle, "Inès Delahaye");
    let over = over
        .iter()
        .find(|one| one.is_over && !one.participation.roles.is_empty());
    let over = over.expect("the term that ended").record;
    let again = care.end_term(&nurse, circle, over, TermEnd::Now).await;
    assert!(matches!(again, Err(CareError::Amended)), "{again:?}");

    let back = NewTerm {
        end: date("2998"),
        ..from(&maillon_node::clock::today())
    };
    let added = care.add_member(&nurse, circle, &ines, back).await;
    added.expect("somebody who comes back");
    assert!(opens());
    assert_eq!(terms(&site, &nurse, &circle, "Inès Delahaye").len(), 4);
}

#[tokio::test]
async fn a_term_that_cannot_be_is_refused_and_nothing_is_left_of_it() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    site.somebody("Inès Delahaye", Some("60")).await;
    let circle = opened(&site, &nurse).await;
    let ines = one(&site, &nurse, &circle, "delahaye").await;
    let before = site.size();
    let add = |term: NewTerm| site.care.add_member(&nurse, circle, &ines, term);
    let reversed = NewTerm {
        end: date("2025"),
        ..from("2026")
    };
    assert!(matches!(add(reversed).await, Err(CareError::Period)));
    let physician = NewTerm {
        role: Some(MemberRole::AttendingPhysician),
        ..from("2026")
    };
    assert!(matches!(add(physician).await, Err(CareError::Role)));
    let later = NewTerm {
        referent: true,
        ..from("2999")
    };
    assert!(matches!(add(later).await, Err(CareError::Referent)));
    let nobody = NewRelative {
        roles: Vec::new(),
        ..daughter()
    };
    let nobody = site.care.add_relative(&nurse, circle, nobody).await;
    assert!(matches!(nobody, Err(CareError::Text(_))));
    assert_eq!(site.size(), before);
}

#[tokio::test]
async fn a_file_has_one_referent_who_hands_the_reference_over_before_they_go() {
    let site = site();
    let care = &site.care;
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let other = site.somebody("Inès Delahaye", Some("60")).await.at_page();
    site.somebody("Étienne Hauchecorne", Some("10")).await;
    let circle = opened(&site, &nurse).await;
    let referents = || {
        let team = care.team_of(&nurse, &circle).expect("a team");
        let team = team.iter().filter(|one| one.participation.referent);
        team.map(|one| name(one).to_owned()).collect::<Vec<_>>()
    };
    let own = record(&site, &nurse, &circle, "Camille Roux");
    let alone = care.end_term(&nurse, circle, own, TermEnd::Now).await;
    assert!(matches!(alone, Err(CareError::Referent)), "{alone:?}");

    // With a new term, and to somebody of the team.
    let ines = one(&site, &nurse, &circle, "delahaye").await;
    let term = NewTerm {
        referent: true,
        ..from("2026")
    };
    care.add_member(&nurse, circle, &ines, term)
        .await
        .expect("a referent");
    assert_eq!(referents(), ["Inès Delahaye"]);
    assert!(care.opens(&nurse, &circle).expect("an answer"));
    let own = record(&site, &nurse, &circle, "Camille Roux");
    care.hand_reference(&other, circle, own)
        .await
        .expect("a referent");
    assert_eq!(site.last().0, "team.referent");
    assert_eq!(referents(), ["Camille Roux"]);
    // Not to somebody who is close, nor to whoever is not there today.
    let added = care.add_relative(&nurse, circle, daughter()).await;
    added.expect("somebody close");
    let etienne = one(&site, &nurse, &circle, "etienne").await;
    let added = care
        .add_member(&nurse, circle, &etienne, from("2999"))
        .await;
    added.expect("a term");
    for who in ["Odile Quesneville", "Étienne Hauchecorne"] {
        let record = record(&site, &nurse, &circle, who);
        let handed = care.hand_reference(&nurse, circle, record).await;
        assert!(matches!(handed, Err(CareError::Referent)), "{who}");
    }
    let ines = record(&site, &nurse, &circle, "Inès Delahaye");
    let ended = care.end_term(&other, circle, ines, TermEnd::Now).await;
    ended.expect("whoever has handed it over goes");
    assert!(!care.opens(&other, &circle).expect("an answer"));
}

#[tokio::test]
async fn somebody_close_is_noted_once_with_national_codes_and_a_number_and_opens_nothing() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let circle = opened(&site, &nurse).await;
    for _ in 0..2 {
        let added = site.care.add_relative(&nurse, circle, daughter()).await;
        added.expect("somebody close");
    }
    assert_eq!(site.last().0, "team.relative");
    let all = terms(&site, &nurse, &circle, "Odile Quesneville");
    assert_eq!(all.len(), 1);
    let term = &all[0].participation;
    let Party::RelatedPerson {
        relationship,
        contacts,
        ..
    } = &term.party
    else {
        panic!("{term:?}");
    };
    let codes = |all: &[maillon_protocol::content::Code]| {
        let codes = all.iter().map(|one| one.code.clone());
        codes.collect::<Vec<_>>()
    };
    // The profile has one role beside the relation; the term has all of them.
    assert_eq!(codes(relationship), ["NOK", "DAUC"]);
    assert_eq!(codes(&term.roles), ["NOK", "CAREGIVER"]);
    assert_eq!(contacts.len(), 1);
    assert!(term.period.start.is_some() && !term.referent);
    let ended = site
        .care
        .end_term(&nurse, circle, all[0].record, TermEnd::Now)
        .await;
    ended.expect("an end");
    // Whoever comes back is another term.
    let added = site.care.add_relative(&nurse, circle, daughter()).await;
    added.expect("somebody close");
    let site = site.restarted().await;
    assert_eq!(terms(&site, &nurse, &circle, "Odile Quesneville").len(), 2);
}
