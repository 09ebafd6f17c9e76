//! Files as professionals open them from a page: by a person's team, with what their habilitation lets them read, and a line in the trail. Over a real database.
#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on should say where"
)]

mod ground;
#[path = "ground/site.rs"]
mod site;

use std::time::Duration;

use maillon_node::{
    audit::By,
    care::{
        Actor, CareError, Category, FilesWanted, GlassReason, Habilitation, Level, Likeness, Looks,
        NewFile, NewNote, Role, Shown, Turn,
    },
    clock::{now_ms, set_offset},
};
use maillon_protocol::{
    content::{
        Alert, Consent, ConsentDecision, ConsentKind, Content, IdentityStatus, NoteKind,
        PartialDate, PatientIdentity, Severity, Sex,
    },
    ids::CircleId,
};
use site::{Site, site};

fn person(family: &str, given: &str, born: &str) -> PatientIdentity {
    PatientIdentity {
        birth_name: family.to_owned(),
        birth_given_names: vec![given.to_owned()],
        used_name: String::new(),
        used_given_name: String::new(),
        birth_date: PartialDate::try_from(born.to_owned()).ok(),
        sex: Sex::Female,
        birth_place: "76540".to_owned(),
        ins: None,
        status: IdentityStatus::Provisional,
        validated_by: String::new(),
        contacts: Vec::new(),
        identifiers: Vec::new(),
    }
}

fn leontine() -> PatientIdentity {
    person("QUESNEVILLE", "LÉONTINE", "1941-02-23")
}

fn informed(decision: ConsentDecision) -> Consent {
    Consent {
        kind: ConsentKind::NonOpposition,
        decision,
        answered_by: String::new(),
        how: String::new(),
    }
}

fn new(identity: PatientIdentity) -> NewFile {
    NewFile {
        identity,
        consent: informed(ConsentDecision::Given),
        reason: "Retour d’hospitalisation.".to_owned(),
        seen: Vec::new(),
    }
}

async fn opened(site: &Site, actor: &Actor, identity: PatientIdentity) -> CircleId {
    let file = site.care.open_file(actor, new(identity)).await;
    file.expect("a file")
}

fn note(text: &str) -> NewNote {
    NewNote {
        kind: NoteKind::Observation,
        text: text.to_owned(),
        emergency: false,
        answers: None,
    }
}

/// The texts of the notes that somebody reads.
async fn texts(site: &Site, actor: &Actor, circle: CircleId, part: Shown) -> Vec<String> {
    let view = site.care.read_file(actor, circle, part, None).await;
    let things = view.expect("a file").circle.things;
    let contents = things.into_iter().flat_map(|thing| thing.standing);
    contents
        .filter_map(|record| match record.content {
            Content::LiaisonNote(note) => Some(note.text),
            _ => None,
        })
        .collect()
}

fn names(site: &Site, actor: &Actor, typed: &str, followed: bool) -> Vec<String> {
    let wanted = FilesWanted {
        typed,
        followed,
        favourites: false,
        ended: false,
        page: 0,
    };
    let found = site.care.files(actor, wanted).expect("a list");
    let files = found.files.into_iter();
    files
        .map(|one| one.filed.identity.birth_name.clone())
        .collect()
}

#[tokio::test]
async fn whoever_opens_a_file_follows_the_person_and_nobody_else_reads_it() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let other = site.somebody("Inès Delahaye", Some("60")).await.at_page();
    let circle = opened(&site, &nurse, leontine()).await;
    assert_eq!(site.last().0, "circle.open");
    let read = texts(&site, &nurse, circle, Shown::Notes).await;
    assert_eq!(read, ["Retour d’hospitalisation."]);
    assert_eq!(site.last().0, "file.read.notes");

    let before = site.size();
    for part in [
        Shown::All,
        Shown::Notes,
        Shown::Alerts,
        Shown::Documents,
        Shown::Team,
    ] {
        let refused = site.care.read_file(&other, circle, part, None).await;
        assert!(matches!(refused, Err(CareError::NotInTeam)), "{part:?}");
    }
    let refused = site.care.add_note(&other, circle, note("Bonjour.")).await;
    assert!(matches!(refused, Err(CareError::NotInTeam)));
    let refused = site.care.team_of(&other, &circle);
    assert!(matches!(refused, Err(CareError::NotInTeam)));
    let refused = site.care.add_to_team(&other, circle, &other).await;
    assert!(matches!(refused, Err(CareError::NotInTeam)));
    assert_eq!(site.size(), before, "nothing is left of what was refused");

    let added = site.care.add_to_team(&nurse, circle, &other).await;
    added.expect("a colleague in the team");
    assert_eq!(site.last().0, "team.add");
    let read = texts(&site, &other, circle, Shown::All).await;
    assert_eq!(read, ["Retour d’hospitalisation."]);
    // Once is enough.
    let size = site.size();
    let added = site.care.add_to_team(&nurse, circle, &other).await;
    added.expect("nothing to do");
    assert_eq!(site.size(), size);
}

#[tokio::test]
async fn a_colleague_of_the_same_name_and_profession_is_told_apart_by_the_rpps() {
    let site = site();
    let added = |rpps: &'static str| {
        let care = &site.care;
        care.add_professional(By::itself(), "Camille Roux", Some(rpps), Some("60"))
    };
    let one = added("10999001018").await.expect("a nurse").at_page();
    let other = added("10999002040").await.expect("a nurse").at_page();
    let circle = opened(&site, &one, leontine()).await;
    assert!(site.care.follows(&one, &circle).expect("an answer"));
    assert!(!site.care.follows(&other, &circle).expect("an answer"));
}

#[tokio::test]
async fn of_two_colleagues_of_one_name_without_a_number_only_the_one_who_was_added_opens() {
    let site = site();
    let one = site.somebody("Camille Roux", Some("60")).await.at_page();
    let other = site.somebody("Camille Roux", Some("60")).await.at_page();
    let circle = opened(&site, &one, leontine()).await;
    assert!(site.care.follows(&one, &circle).expect("an answer"));
    assert!(!site.care.follows(&other, &circle).expect("an answer"));
}

#[tokio::test]
async fn without_the_persons_information_or_a_reason_no_file_is_opened() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let before = site.size();
    for decision in [ConsentDecision::Refused, ConsentDecision::Withdrawn] {
        let mut file = new(leontine());
        file.consent = informed(decision);
        let refused = site.care.open_file(&nurse, file).await;
        assert!(matches!(refused, Err(CareError::NoConsent)), "{refused:?}");
    }
    let mut file = new(leontine());
    file.reason = "  ".to_owned();
    let refused = site.care.open_file(&nurse, file).await;
    assert!(matches!(refused, Err(CareError::Text(_))), "{refused:?}");
    let refused = site
        .care
        .open_file(&nurse, new(person("", "Léontine", "1941")))
        .await;
    assert!(matches!(refused, Err(CareError::Identity(_))));
    let helper = site.somebody("Sacha Morin", Some("350")).await.at_page();
    let refused = site.care.open_file(&helper, new(leontine())).await;
    assert!(matches!(refused, Err(CareError::NotAllowed(_))));
    assert_eq!(
        (before.1, names(&site, &nurse, "", false).len()),
        (site.size().1, 0)
    );
}

#[tokio::test]
async fn who_may_not_read_a_category_is_shown_nothing_of_it() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let helper = site.somebody("Sacha Morin", Some("350")).await.at_page();
    let circle = opened(&site, &nurse, leontine()).await;
    let added = site.care.add_to_team(&nurse, circle, &helper).await;
    added.expect("somebody in the team");
    let alert = Alert {
        severity: Severity::High,
        text: "Chute cette nuit.".to_owned(),
        addressees: Vec::new(),
        answer_by_ms: 0,
    };
    let sent = site.care.send_alert(&nurse, circle, alert).await;
    sent.expect("an alert");
    let all = [
        Category::Messages,
        Category::Identity,
        Category::Administration,
    ];
    for hidden in all {
        let levels = Category::ALL.map(|one| {
            if one == hidden {
                Level::Nothing
            } else {
                Level::Write
            }
        });
        let seen = site.care.habilitations().expect("a matrix").revision;
        let row = Habilitation::new(levels);
        let set = site
            .care
            .set_habilitation(By::itself(), Role::HomeHelp, row, seen)
            .await;
        set.expect("a change");
        let view = site.care.read_file(&helper, circle, Shown::All, None).await;
        match hidden {
            // Without knowing who somebody is nobody reads about them, nor finds them.
            Category::Identity => {
                assert!(matches!(view, Err(CareError::NotReadable(_))), "{view:?}");
                let wanted = FilesWanted {
                    typed: "",
                    followed: true,
                    favourites: false,
                    ended: false,
                    page: 0,
                };
                let list = site.care.files(&helper, wanted);
                assert!(matches!(list, Err(CareError::NotReadable(_))));
            }
            Category::Messages => {
                let things = view.expect("a file").circle.things;
                assert!(!things.is_empty());
                let mut records = things.iter().flat_map(|thing| &thing.standing);
                assert!(records.all(|record| {
                    !matches!(record.content, Content::LiaisonNote(_) | Content::Alert(_))
                }));
                let notes = site
                    .care
                    .read_file(&helper, circle, Shown::Notes, None)
                    .await;
                assert!(matches!(notes, Err(CareError::NotReadable(_))));
            }
            _ => {
                let team = site.care.team_of(&helper, &circle).expect("an answer");
                assert!(team.is_empty());
                assert!(!view.expect("a file").manages);
            }
        }
    }
}

#[tokio::test]
async fn people_are_found_by_name_birth_date_and_number_among_ones_own_or_all() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let other = site.somebody("Inès Delahaye", Some("60")).await.at_page();
    opened(&site, &nurse, leontine()).await;
    // What comes last is a millisecond later at least.
    tokio::time::sleep(Duration::from_millis(2)).await;
    opened(&site, &nurse, person("LE GOFF", "JEANNE", "1938-05-12")).await;
    opened(&site, &other, person("LE GOFFIC", "YVETTE", "1944-01-30")).await;
    assert_eq!(names(&site, &nurse, "le goff", true), ["LE GOFF"]);
    assert_eq!(
        names(&site, &nurse, "le goff", false),
        ["LE GOFF", "LE GOFFIC"]
    );
    assert_eq!(names(&site, &nurse, "leontine", true), ["QUESNEVILLE"]);
    assert_eq!(names(&site, &nurse, "30/01/1944", false), ["LE GOFFIC"]);
    // What happened last comes first.
    assert_eq!(names(&site, &nurse, "", true), ["LE GOFF", "QUESNEVILLE"]);
    // After a restart the index is read again from what is there.
    let site = site.restarted().await;
    assert_eq!(names(&site, &nurse, "", false).len(), 0);
    for circle in site.ledger.shared().circles() {
        site.care.refresh_file(&circle.id()).expect("a file");
    }
    assert_eq!(names(&site, &nurse, "", true).len(), 2);
}

#[tokio::test]
async fn whoever_resembles_a_new_person_is_shown_before_anything_is_kept() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let circle = opened(&site, &nurse, leontine()).await;
    let alike = |one: PatientIdentity| {
        let found = site.care.alike(&one).into_iter();
        found
            .map(|(filed, why)| (filed.circle, why))
            .collect::<Vec<_>>()
    };
    let same = person("Quesneville", "Leontine", "1941-02-23");
    assert_eq!(alike(same), [(circle, Likeness::SameTraits)]);
    let close = person("QUESNEVILE", "Léontine", "1941-02-23");
    assert_eq!(alike(close), [(circle, Likeness::CloseTraits)]);
    assert_eq!(alike(person("MARTIN", "Léontine", "1941-02-23")), []);
}

#[tokio::test]
async fn of_many_clicks_at_once_one_opens_a_file_and_one_breaks_the_glass() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let other = site.somebody("Inès Delahaye", Some("60")).await.at_page();
    let clicks = (0..20).map(|_| site.care.open_file(&nurse, new(leontine())));
    let done = futures::future::join_all(clicks).await;
    let mut opened = done.iter().filter_map(|one| one.as_ref().ok());
    let circle = *opened.next().expect("a file");
    assert_eq!(opened.next(), None);
    let refused = |one: &Result<_, _>| matches!(one, Ok(_) | Err(CareError::Alike));
    assert!(done.iter().all(refused));

    let why = "Trouvée au sol.";
    let clicks = (0..20).map(|_| {
        site.care
            .break_glass(&other, circle, GlassReason::Danger, why)
    });
    let done = futures::future::join_all(clicks).await;
    assert!(done.iter().all(Result::is_ok));
    let mut board = site
        .care
        .alert_board(&nurse, now_ms())
        .await
        .expect("alerts");
    assert_eq!(board.take(Turn::Asked).alerts.len(), 1);
}

#[tokio::test]
async fn a_reply_names_a_note_of_the_same_file_and_nothing_else() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let circle = opened(&site, &nurse, leontine()).await;
    let elsewhere = opened(&site, &nurse, person("LE GOFF", "JEANNE", "1938-05-12")).await;
    let first = site
        .care
        .add_note(&nurse, circle, note("A peu mangé."))
        .await;
    let first = first.expect("a note").thing;
    let reply = |text: &str| NewNote {
        answers: Some(first),
        ..note(text)
    };
    let refused = site.care.add_note(&nurse, elsewhere, reply("Vu.")).await;
    assert!(matches!(refused, Err(CareError::NoRecord)), "{refused:?}");
    let written = site.care.add_note(&nurse, circle, reply("Vu.")).await;
    written.expect("a reply");
    let view = site
        .care
        .read_file(&nurse, circle, Shown::Notes, None)
        .await;
    let things = view.expect("a file").circle.things;
    assert_eq!(
        things
            .iter()
            .filter(|one| one.parent == Some(first))
            .count(),
        1
    );
}

#[tokio::test]
async fn a_note_never_stands_without_its_answers_however_many_notes_came_between() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let circle = opened(&site, &nurse, leontine()).await;
    let write = async |text: &str, answers| {
        let note = NewNote {
            answers,
            ..note(text)
        };
        let written = site.care.add_note(&nurse, circle, note).await;
        written.expect("a note").thing
    };
    let asked = write("Faut-il l’hospitaliser ?", None).await;
    for number in 0..60 {
        write(&format!("Passage {number}."), None).await;
    }
    let first = write("Pas encore.", Some(asked)).await;
    write("Merci, je la revois demain.", Some(first)).await;
    let view = site
        .care
        .read_file(&nurse, circle, Shown::Notes, None)
        .await;
    let before = view.expect("a file").circle.next.expect("older ones");
    let before = before.parse().expect("a mark");
    let page = site
        .care
        .read_file(&nurse, circle, Shown::Notes, Some(before))
        .await;
    let things = page.expect("older ones").circle.things;
    let texts = things
        .iter()
        .filter_map(|thing| match &thing.standing[0].content {
            Content::LiaisonNote(note) => Some(note.text.as_str()),
            _ => None,
        });
    let texts: Vec<_> = texts.collect();
    assert!(texts.contains(&"Faut-il l’hospitaliser ?"));
    assert!(texts.contains(&"Pas encore.") && texts.contains(&"Merci, je la revois demain."));
}

#[tokio::test]
async fn a_broken_glass_opens_a_file_for_an_hour_is_told_to_the_team_and_changes_nothing_else() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let other = site.somebody("Inès Delahaye", Some("60")).await.at_page();
    let circle = opened(&site, &nurse, leontine()).await;
    let why = "Trouvée au sol, sa fille au téléphone.";
    let before = site.size();
    let without = site
        .care
        .break_glass(&other, circle, GlassReason::Danger, " ");
    assert!(matches!(without.await, Err(CareError::Text(_))));
    assert_eq!(site.size(), before);

    let broken = site
        .care
        .break_glass(&other, circle, GlassReason::Danger, why);
    broken.await.expect("an hour");
    let last = ("glass.break".to_owned(), "glass danger".to_owned());
    assert_eq!(site.last(), last);
    let mut board = site
        .care
        .alert_board(&nurse, now_ms())
        .await
        .expect("alerts");
    let waiting = board.take(Turn::Asked).alerts;
    assert!(waiting[0].text.contains(why) && waiting[0].text.contains("Inès Delahaye"));

    // It reads and tells the team, also after a restart.
    let site = site.restarted().await;
    let read = texts(&site, &other, circle, Shown::Notes).await;
    assert_eq!(read, ["Retour d’hospitalisation."]);
    let told = site
        .care
        .add_note(&other, circle, note("Pompiers sur place."))
        .await;
    told.expect("a note");
    let added = site.care.add_to_team(&other, circle, &other).await;
    assert!(matches!(added, Err(CareError::NotInTeam)));
    let answer = informed(ConsentDecision::Withdrawn);
    let recorded = site.care.record_consent(&other, circle, answer).await;
    assert!(matches!(recorded, Err(CareError::NotInTeam)));
    let closed = site.care.close(&other, circle, 0).await;
    assert!(matches!(closed, Err(CareError::NotInTeam)));
    let view = site.care.read_file(&other, circle, Shown::Team, None).await;
    let view = view.expect("a file");
    assert!(!view.manages && view.glass_ms.is_some());

    // An hour later it is shut, and a clock that was put back by two hours does not open it.
    for offset_s in [3_601, -7_200] {
        set_offset(offset_s);
        let shut = site.care.read_file(&other, circle, Shown::All, None).await;
        assert!(matches!(shut, Err(CareError::NotInTeam)), "{offset_s}");
    }
}

#[tokio::test]
async fn a_glass_is_broken_by_nobody_who_may_not_see_who_persons_are() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let helper = site.somebody("Sacha Morin", Some("350")).await.at_page();
    let circle = opened(&site, &nurse, leontine()).await;
    let nothing = Habilitation::new([Level::Nothing; 8]);
    let set = site
        .care
        .set_habilitation(By::itself(), Role::HomeHelp, nothing, 0);
    set.await.expect("a change");
    let before = site.size();
    let broken = site
        .care
        .break_glass(&helper, circle, GlassReason::Asked, "Elle le demande.");
    assert!(matches!(broken.await, Err(CareError::NotReadable(_))));
    assert_eq!(site.size(), before);
}

#[tokio::test]
async fn who_looked_at_a_file_is_told_day_by_day_to_its_team_and_to_nobody_else() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let other = site.somebody("Inès Delahaye", Some("60")).await.at_page();
    let helper = site.somebody("Sacha Morin", Some("350")).await.at_page();
    let circle = opened(&site, &nurse, leontine()).await;
    let elsewhere = opened(&site, &nurse, person("LECANU", "MARIUS", "1938-06-30")).await;
    texts(&site, &nurse, elsewhere, Shown::Notes).await;
    let outside = site
        .care
        .read_file(&other, circle, Shown::Looks, None)
        .await;
    assert!(matches!(outside, Err(CareError::NotInTeam)));

    // What a broken glass opens is read by that right, and who looked is not among it.
    let broken = site
        .care
        .break_glass(&other, circle, GlassReason::Danger, "Trouvée au sol.");
    broken.await.expect("an hour");
    texts(&site, &other, circle, Shown::Notes).await;
    assert_eq!(
        site.last(),
        ("file.read.notes".to_owned(), "right glass".to_owned())
    );
    let before = site.size();
    let looked = site
        .care
        .read_file(&other, circle, Shown::Looks, None)
        .await;
    assert!(matches!(looked, Err(CareError::NotInTeam)));
    let looks = site.care.looks(&other, circle, None);
    assert!(matches!(looks, Err(CareError::NotInTeam)));
    // Nor does the profession that may not see who takes part.
    let added = site.care.add_to_team(&nurse, circle, &helper).await;
    added.expect("somebody in the team");
    let levels = Category::ALL.map(|one| match one {
        Category::Administration => Level::Nothing,
        _ => Level::Write,
    });
    let row = Habilitation::new(levels);
    let set = site
        .care
        .set_habilitation(By::itself(), Role::HomeHelp, row, 0)
        .await;
    set.expect("a change");
    let looks = site.care.looks(&helper, circle, None);
    assert!(matches!(looks, Err(CareError::NotReadable(_))));
    assert!(site.size().0 > before.0);

    let actions = |looks: &Looks| {
        let looks = looks.looks.iter();
        looks.map(|one| one.action.clone()).collect::<Vec<_>>()
    };
    let looks = site.care.looks(&nurse, circle, None).expect("a page");
    let told = ["team.add", "file.read.notes", "glass.break", "circle.open"];
    assert_eq!(actions(&looks), told);
    assert!(looks.looks[1].by_glass() && !looks.looks[0].by_glass());
    assert!(looks.next.is_none());

    // A page ends with a day, where the day is not too long.
    set_offset(24 * 3600);
    for _ in 0..210 {
        texts(&site, &nurse, circle, Shown::Notes).await;
    }
    let first = site.care.looks(&nurse, circle, None).expect("a page");
    assert_eq!(first.looks.len(), 210);
    let rest = site.care.looks(&nurse, circle, first.next).expect("a page");
    assert_eq!(actions(&rest), told);
    assert!(rest.next.is_none());
}
