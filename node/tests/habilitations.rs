//! What each profession may do: as shipped, as an administrator changed it, and what is left of that when the node has been restarted. Over a real
//! database.
#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on should say where"
)]

mod ground;
#[path = "ground/site.rs"]
mod site;

use maillon_node::{
    audit::By,
    care::{
        Actor, Care, CareError, Category, DeclineReason, Habilitation, Habilitations, Level,
        NewNote, Role,
    },
    store::Table,
};
use maillon_protocol::{
    attachment::Named,
    charter::{Grant, RemovalReason, RotationReason},
    content::{
        Alert, AlertStep, AskedChange, Consent, ConsentDecision, ConsentKind, ErasureReason,
        IdentityStatus, NoteKind, PartialDate, PatientIdentity, Severity, Sex,
    },
    ids::{CircleId, InvitationId, NodeId, RecordId},
    invite::InvitationReason,
};
use site::{Site, site};

fn person() -> PatientIdentity {
    PatientIdentity {
        birth_name: "QUESNEVILLE".to_owned(),
        birth_given_names: vec!["Léontine".to_owned()],
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

/// What is there to act on.
struct File {
    circle: CircleId,
    alert: RecordId,
}

async fn file(site: &Site, nurse: &Actor) -> File {
    let care = &site.care;
    let circle = care.open_circle(nurse, person()).await.expect("a circle");
    let sent = care.send_alert(nurse, circle, alert()).await;
    let alert = sent.expect("an alert").record;
    File { circle, alert }
}

fn alert() -> Alert {
    Alert {
        severity: Severity::High,
        text: "Chute cette nuit, sans blessure.".to_owned(),
        addressees: Vec::new(),
        answer_by_ms: 0,
    }
}

fn consent() -> Consent {
    Consent {
        kind: ConsentKind::NonOpposition,
        decision: ConsentDecision::Given,
        answered_by: String::new(),
        how: "Information orale".to_owned(),
    }
}

type Tried = (&'static str, &'static [Category], Result<(), CareError>);

async fn document(care: &Care, actor: &Actor, circle: CircleId) -> Result<(), CareError> {
    let named = Named {
        media_type: "text/plain".to_owned(),
        name: "ordonnance.txt".to_owned(),
    };
    let begun = care.begin_document(actor, circle, "Ordonnance".to_owned(), named, 3)?;
    care.add_part(actor, begun.upload, 0, b"abc")?;
    care.end_document(actor, begun.upload).await.map(drop)
}

/// Everything that a professional does, once each; and what it needs.
async fn try_all(care: &Care, actor: &Actor, file: &File) -> Vec<Tried> {
    use Category::{Administration, Documents, Identity, Messages};
    let File {
        circle,
        alert: asked,
    } = *file;
    let note = |text: &str| {
        let note = NewNote {
            kind: NoteKind::General,
            text: text.to_owned(),
            emergency: false,
            answers: None,
        };
        care.add_note(actor, circle, note)
    };
    let document = document(care, actor, circle).await;
    let import = care
        .import(actor, Vec::new().into(), Vec::new(), true)
        .await;
    vec![
        (
            "note",
            &[Messages],
            note("Pansement refait.").await.map(drop),
        ),
        (
            "alert",
            &[Messages],
            care.send_alert(actor, circle, alert()).await.map(drop),
        ),
        (
            "answer",
            &[Messages],
            care.answer_alert(actor, asked, AlertStep::Acknowledge, String::new())
                .await
                .map(drop),
        ),
        ("document", &[Documents], document),
        (
            "open",
            &[Administration, Identity],
            care.open_circle(actor, person()).await.map(drop),
        ),
        (
            "consent",
            &[Administration],
            care.record_consent(actor, circle, consent())
                .await
                .map(drop),
        ),
        (
            "rotate",
            &[Administration],
            care.rotate(actor, circle, RotationReason::Precaution).await,
        ),
        (
            "erase",
            &[Administration],
            care.ask_erasure(actor, asked, ErasureReason::Inaccurate)
                .await
                .map(drop),
        ),
        (
            "import",
            &[Administration, Identity, Messages, Documents],
            import.map(drop),
        ),
    ]
}

/// All that steers a file and its circle. None of it may come so far that it matters what is named.
async fn try_steering(care: &Care, actor: &Actor, file: &File) -> Vec<Tried> {
    const NEEDS: &[Category] = &[Category::Administration];
    let File { circle, alert: id } = *file;
    let (node, other) = (NodeId([8; 32]), NodeId([9; 32]));
    let invitation = InvitationId([8; 32]);
    let why = || "Parce que.".to_owned();
    let asked = AskedChange::Remove {
        node,
        reason: RemovalReason::Ended,
    };
    let (team, now) = (InvitationReason::CareTeam, Grant::Whole);
    let all = [
        (
            "remove",
            care.remove(actor, circle, node, RemovalReason::Ended).await,
        ),
        ("close", care.close(actor, circle, 0).await),
        ("reopen", care.reopen(actor, circle, 0).await),
        ("leave", care.leave(actor, circle).await),
        ("hand over", care.hand_over(actor, circle, node).await),
        ("appoint", care.appoint(actor, circle, vec![node]).await),
        ("confirm", care.confirm(actor, Some(circle)).await),
        (
            "succeed",
            care.succeed(actor, circle, vec![node]).await.map(drop),
        ),
        ("carry over", care.carry_over(actor, circle).await.map(drop)),
        (
            "request",
            care.ask(actor, circle, asked, why()).await.map(drop),
        ),
        ("grant", care.grant_request(actor, id).await),
        ("refuse", care.refuse_request(actor, id, why()).await),
        ("withdraw", care.withdraw_request(actor, id).await),
        ("carry out", care.erase(actor, id).await),
        ("refuse erasure", care.refuse_erasure(actor, id).await),
        ("finish", care.finish(actor, circle).await.map(drop)),
        (
            "same",
            care.same_structure(actor, node, other, true)
                .await
                .map(drop),
        ),
        ("replace", care.replace(actor, circle, node).await),
        (
            "invite",
            care.invite(actor, circle, node, team, now).await.map(drop),
        ),
        ("accept", care.accept(actor, invitation, None).await),
        (
            "decline",
            care.decline(actor, invitation, DeclineReason::Unknown, "")
                .await,
        ),
    ];
    all.into_iter()
        .map(|(what, done)| (what, NEEDS, done))
        .collect()
}

/// Whether it was the habilitation that was in the way; nothing else may be.
fn was_refused(what: &str, done: &Result<(), CareError>) -> bool {
    match done {
        Ok(()) => false,
        Err(CareError::NotAllowed(_)) => true,
        Err(other) => panic!("{what}: {other}"),
    }
}

/// A profession of each role, as an administrator types it.
const PROFESSIONS: [(Role, Option<&str>); 9] = [
    (Role::Physician, Some("10")),
    (Role::Nurse, Some("60")),
    (Role::Pharmacist, Some("21")),
    (Role::Auxiliary, Some("35")),
    (Role::OtherHealth, Some("70")),
    (Role::Coordinator, Some("330")),
    (Role::Social, Some("41")),
    (Role::HomeHelp, Some("350")),
    (Role::Other, None),
];

#[tokio::test]
async fn every_profession_does_what_the_matrix_says_and_what_it_may_not_leaves_no_trace() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await;
    let rights = site.care.habilitations().expect("a matrix");
    let mut refused = 0;
    for (role, profession) in PROFESSIONS {
        let actor = site.somebody("Dominique Petit", profession).await;
        assert_eq!(Role::of(&actor.professional), role);
        let file = file(&site, &nurse).await;
        for (what, needs, done) in try_all(&site.care, &actor, &file).await {
            let row = rights.row(role);
            let may = needs.iter().all(|one| row.level(*one) == Level::Write);
            assert_eq!(was_refused(what, &done), !may, "{what} by {role:?}");
            refused += usize::from(!may);
        }
    }
    assert!(refused > 5, "{refused}");

    // A row of nothing: no act of it leaves anything.
    let nothing = Habilitation::new([Level::Nothing; 8]);
    let set = site
        .care
        .set_habilitation(By::itself(), Role::HomeHelp, nothing, 0)
        .await;
    set.expect("a change");
    let helper = site.somebody("Sacha Morin", Some("350")).await;
    let file = file(&site, &nurse).await;
    let before = site.size();
    let mut tried = try_all(&site.care, &helper, &file).await;
    tried.extend(try_steering(&site.care, &helper, &file).await);
    for (what, _, done) in tried {
        assert!(was_refused(what, &done), "{what}");
    }
    assert_eq!(site.size(), before);
}

#[tokio::test]
async fn what_an_administrator_changes_counts_at_once_and_after_a_restart_and_stands_in_the_trail()
{
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await;
    let file = file(&site, &nurse).await;
    let reads = Habilitation::new([Level::Read; 8]);
    let changed = site
        .care
        .set_habilitation(By::itself(), Role::Nurse, reads, 0);
    assert_eq!(changed.await.expect("a change").revision, 1);
    assert_eq!(
        site.last(),
        (
            "habilitation.set".to_owned(),
            "habilitation nurse rrrrrrrr".to_owned()
        )
    );
    let site = site.restarted().await;
    for (what, _, done) in try_all(&site.care, &nurse, &file).await {
        assert!(was_refused(what, &done), "{what}");
    }
    let rights = site.care.habilitations().expect("a matrix");
    assert_eq!(rights.row(Role::Nurse), reads);
    assert_eq!(
        rights.row(Role::Physician),
        Habilitations::shipped().row(Role::Physician)
    );
}

#[tokio::test]
async fn a_right_that_is_taken_away_while_a_file_comes_is_not_there_at_its_end() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await;
    let file = file(&site, &nurse).await;
    let named = Named {
        media_type: "text/plain".to_owned(),
        name: "ordonnance.txt".to_owned(),
    };
    let care = &site.care;
    let begun = care.begin_document(&nurse, file.circle, "Ordonnance".to_owned(), named, 3);
    let upload = begun.expect("a file").upload;
    care.add_part(&nurse, upload, 0, b"abc").expect("a part");
    let reads = Habilitation::new([Level::Read; 8]);
    let set = care
        .set_habilitation(By::itself(), Role::Nurse, reads, 0)
        .await;
    set.expect("a change");
    let ended = care.end_document(&nurse, upload).await;
    assert!(matches!(
        ended,
        Err(CareError::NotAllowed(Category::Documents))
    ));
}

#[tokio::test]
async fn of_two_who_change_the_matrix_at_once_the_second_is_told() {
    let site = site();
    let change = |role| {
        let row = Habilitation::new([Level::Read; 8]);
        site.care.set_habilitation(By::itself(), role, row, 0)
    };
    change(Role::Nurse).await.expect("a change");
    let again = site.care.set_habilitation(
        By::itself(),
        Role::Nurse,
        Habilitation::new([Level::Read; 8]),
        1,
    );
    let again = again.await.expect("the same once more");
    assert_eq!(again.revision, 1, "what changes nothing is no change");
    let second = change(Role::Physician).await;
    assert!(matches!(second, Err(CareError::HabilitationsChanged)));
    let rights = site.care.habilitations().expect("a matrix");
    assert_eq!(
        rights.row(Role::Physician),
        Habilitations::shipped().row(Role::Physician)
    );
}

#[tokio::test]
async fn whoever_administers_the_node_manages_files_and_has_no_right_to_what_they_hold() {
    let site = site();
    for category in Category::ALL {
        let level = site.care.level(&Actor::administrator(), category);
        let expected = match category {
            Category::Administration => Level::Write,
            _ => Level::Nothing,
        };
        assert_eq!(level.expect("a level"), expected, "{category:?}");
    }
}

#[tokio::test]
async fn with_a_matrix_that_cannot_be_read_no_professional_writes_anything() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await;
    let file = file(&site, &nurse).await;
    let job = site.ledger.run(|tx| {
        tx.put(Table::Access, b"habilitations".to_vec(), vec![0xff]);
        Ok::<(), CareError>(())
    });
    job.await.expect("a job");
    let site = site.restarted().await;
    for (what, _, done) in try_all(&site.care, &nurse, &file).await {
        assert!(
            matches!(done, Err(CareError::DamagedHabilitations)),
            "{what}"
        );
    }
}

#[tokio::test]
async fn from_a_page_whoever_is_not_in_the_team_does_nothing_in_a_file_whatever_the_matrix_says() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await;
    let file = file(&site, &nurse).await;
    let other = site.somebody("Inès Delahaye", Some("60")).await.at_page();
    let before = site.size();
    let mut tried = try_all(&site.care, &other, &file).await;
    tried.extend(try_steering(&site.care, &other, &file).await);
    // Whoever opens a file is in its team; these name no file, or none that there is.
    let elsewhere = [
        "open",
        "grant",
        "refuse",
        "withdraw",
        "carry out",
        "refuse erasure",
        "same",
        "accept",
        "decline",
    ];
    let mut refused = 0;
    for (what, _, done) in tried {
        if !elsewhere.contains(&what) {
            assert!(
                matches!(done, Err(CareError::NotInTeam)),
                "{what}: {done:?}"
            );
            refused += 1;
        }
    }
    assert!(refused > 15, "{refused}");
    let after = site.size();
    // The file that they opened themselves, and its line.
    assert!(
        after.0 <= before.0 + 2 && after.1 <= before.1 + 2,
        "{before:?} {after:?}"
    );
}
