//! Files that come with notes, alerts and documents from a page: one act or none, by the rights of what names them, within limits. Over a real database.
#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on should say where"
)]

mod ground;
#[path = "ground/site.rs"]
mod site;

use futures::FutureExt;
use maillon_node::{
    audit::By,
    care::{
        Actor, CareError, Category, FileKind, GlassReason, Habilitation, Incoming, Level,
        NamedFile, NewDocument, NewFile, NewNote, Role, Shown,
    },
    store::{Range, Table},
};
use maillon_protocol::{
    content::{
        Alert, Consent, ConsentDecision, ConsentKind, IdentityStatus, NoteKind, PartialDate,
        PatientIdentity, Severity, Sex,
    },
    ids::{CircleId, RecordId},
    limits,
};
use site::{Site, site};

async fn opened(site: &Site, actor: &Actor) -> CircleId {
    opened_for(site, actor, "QUESNEVILLE", "1941-02-23").await
}

async fn opened_for(site: &Site, actor: &Actor, family: &str, born: &str) -> CircleId {
    let identity = PatientIdentity {
        birth_name: family.to_owned(),
        birth_given_names: vec!["LÉONTINE".to_owned()],
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
    };
    let consent = Consent {
        kind: ConsentKind::NonOpposition,
        decision: ConsentDecision::Given,
        answered_by: String::new(),
        how: String::new(),
    };
    let file = NewFile {
        identity,
        consent,
        reason: "Retour d’hospitalisation.".to_owned(),
        seen: Vec::new(),
    };
    site.care.open_file(actor, file).await.expect("a file")
}

fn note(text: &str) -> NewNote {
    NewNote {
        kind: NoteKind::Observation,
        text: text.to_owned(),
        emergency: false,
        answers: None,
    }
}

fn letter() -> NewDocument {
    NewDocument {
        title: "Compte rendu".to_owned(),
        type_code: None,
    }
}

/// A PDF of so many bytes, none of which repeats in a chunk's distance.
fn pdf(length: usize) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    bytes.extend((0_u32..).flat_map(u32::to_le_bytes).take(length - 9));
    bytes
}

/// A file that came, in pieces as a network gives them.
async fn came(
    site: &Site,
    actor: &Actor,
    circle: CircleId,
    category: Category,
    bytes: &[u8],
) -> Result<Incoming, CareError> {
    let mut file = site.care.receive(actor, circle, category)?;
    for piece in bytes.chunks(50_000) {
        if let Err(error) = site.care.take(&mut file, piece).await {
            site.care.give_up(file).await;
            return Err(error);
        }
    }
    Ok(file)
}

fn named(file: Incoming) -> Option<NamedFile> {
    let name = "pied.pdf".to_owned();
    Some(NamedFile { file, name })
}

/// Rows of files.
fn blobs(site: &Site) -> usize {
    let store = &site.ledger.shared().rows().0;
    let rows = store.scan(Table::Blobs, b"", Range::all());
    rows.expect("rows").count()
}

/// What somebody reads of a record's file.
async fn read(
    site: &Site,
    actor: &Actor,
    circle: CircleId,
    record: RecordId,
) -> Result<Vec<u8>, CareError> {
    let file = site.care.open_attached(actor, circle, record, 0).await?;
    let (mut all, mut next) = (Vec::new(), Some(0));
    while let Some(from) = next {
        let (bytes, after) = site.care.part_of(&file, from)?;
        all.extend_from_slice(&bytes);
        next = after;
    }
    Ok(all)
}

#[tokio::test]
async fn a_note_and_its_file_are_one_act_and_of_a_refused_one_nothing_is_left() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let circle = opened(&site, &nurse).await;
    let before = site.size();
    // Three mebibytes: some of it waits in the store, some in memory.
    let sent = pdf(3 << 20);
    for text in ["", " \n"] {
        let file = came(&site, &nurse, circle, Category::Messages, &sent).await;
        let file = named(file.expect("a file"));
        assert!(blobs(&site) > 30, "most of it waits");
        let refused = site
            .care
            .add_note_with(&nurse, circle, note(text), file)
            .await;
        assert!(matches!(refused, Err(CareError::Text(_))));
        assert_eq!((blobs(&site), site.size()), (0, before));
    }
    let file = came(&site, &nurse, circle, Category::Messages, &sent).await;
    let file = named(file.expect("a file"));
    let written = site
        .care
        .add_note_with(&nurse, circle, note("Plaie au pied."), file)
        .await
        .expect("a note");
    assert_eq!(site.last().0, "note.add");
    // Its chunks and one row that says that all are here: nothing waits any more.
    assert_eq!(blobs(&site), (3 << 20) / limits::CHUNK + 1);
    let view = site
        .care
        .read_file(&nurse, circle, Shown::Notes, None)
        .await;
    let view = view.expect("a file");
    assert!(view.files[&written.record][0].complete);
    let read = read(&site, &nurse, circle, written.record).await;
    assert!(read.expect("its bytes") == sent, "other bytes");
    assert_eq!(site.last().0, "document.read");
}

#[tokio::test]
async fn an_alert_and_the_note_that_names_its_file_stand_together() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let circle = opened(&site, &nurse).await;
    let alert = |text: &str| Alert {
        severity: Severity::High,
        text: text.to_owned(),
        addressees: Vec::new(),
        answer_by_ms: 0,
    };
    let before = site.size();
    let file = came(&site, &nurse, circle, Category::Messages, &pdf(70_000)).await;
    let file = named(file.expect("a file"));
    let refused = site.care.send_alert_with(&nurse, circle, alert(" "), file);
    assert!(matches!(refused.await, Err(CareError::Text(_))));
    assert_eq!((blobs(&site), site.size()), (0, before));

    let file = came(&site, &nurse, circle, Category::Messages, &pdf(70_000)).await;
    let file = named(file.expect("a file"));
    let sent = site
        .care
        .send_alert_with(&nurse, circle, alert("Chute."), file);
    let sent = sent.await.expect("an alert");
    for part in [Shown::All, Shown::Alerts] {
        let view = site.care.read_file(&nurse, circle, part, None).await;
        let view = view.expect("a file");
        let beside = view.circle.things.iter();
        let beside: Vec<_> = beside
            .filter(|thing| thing.parent == Some(sent.thing))
            .collect();
        assert_eq!(beside.len(), 1, "{part:?}");
        assert!(view.files[&beside[0].standing[0].record][0].complete);
    }
}

#[tokio::test]
async fn a_file_is_read_by_whoever_may_read_what_names_it_and_by_nobody_else() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let other = site.somebody("Inès Delahaye", Some("60")).await.at_page();
    let helper = site.somebody("Sacha Morin", Some("350")).await.at_page();
    let circle = opened(&site, &nurse).await;
    let elsewhere = opened_for(&site, &nurse, "HAUTOT", "1938-05-02").await;
    let file = came(&site, &nurse, circle, Category::Documents, &pdf(5000)).await;
    let file = NamedFile {
        file: file.expect("a file"),
        name: "lettre.pdf".to_owned(),
    };
    let document = site.care.add_document(&nurse, circle, letter(), file).await;
    let document = document.expect("a document").record;
    assert_eq!(site.last().0, "document.add");
    let file = came(&site, &nurse, circle, Category::Messages, &pdf(5000)).await;
    let file = named(file.expect("a file"));
    let photo = site
        .care
        .add_note_with(&nurse, circle, note("Plaie."), file);
    let photo = photo.await.expect("a note").record;

    let before = (site.size(), blobs(&site));
    for record in [document, photo] {
        let refused = read(&site, &other, circle, record).await;
        assert!(matches!(refused, Err(CareError::NotInTeam)));
        let refused = read(&site, &nurse, elsewhere, record).await;
        assert!(matches!(refused, Err(CareError::NoRecord)));
        let refused = site.care.open_attached(&nurse, circle, record, 1).await;
        assert!(matches!(refused, Err(CareError::NoFile)));
    }
    for category in [Category::Documents, Category::Messages] {
        let refused = site.care.receive(&other, circle, category);
        assert!(matches!(refused, Err(CareError::NotInTeam)));
    }
    assert_eq!((site.size(), blobs(&site)), before, "nothing is left");

    // Home help reads what the team tells each other, and no document.
    let added = site.care.add_to_team(&nurse, circle, &helper).await;
    added.expect("somebody of the team");
    assert_eq!(
        read(&site, &helper, circle, photo).await.ok(),
        Some(pdf(5000))
    );
    let refused = read(&site, &helper, circle, document).await;
    assert!(matches!(
        refused,
        Err(CareError::NotReadable(Category::Documents))
    ));
    let refused = site.care.receive(&helper, circle, Category::Documents);
    assert!(matches!(
        refused,
        Err(CareError::NotAllowed(Category::Documents))
    ));

    // A broken glass reads and tells; it adds no document.
    let why = "Elle est tombée.";
    let broken = site
        .care
        .break_glass(&other, circle, GlassReason::Danger, why);
    broken.await.expect("an hour");
    assert!(read(&site, &other, circle, document).await.is_ok());
    assert!(
        site.care
            .receive(&other, circle, Category::Messages)
            .is_ok()
    );
    let refused = site.care.receive(&other, circle, Category::Documents);
    assert!(matches!(refused, Err(CareError::NotInTeam)));
}

#[tokio::test]
async fn other_kinds_and_longer_files_are_refused_and_leave_nothing() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let circle = opened(&site, &nurse).await;
    let before = site.size();
    let taken = |bytes: Vec<u8>| {
        let (site, nurse) = (&site, &nurse);
        async move { came(site, nurse, circle, Category::Documents, &bytes).await }
    };
    for other in [
        &b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>1</script></svg>"[..],
        b"<!doctype html><script>alert(1)</script>",
        b"#!/bin/sh\nrm -rf /",
        b"\0\0\0\x18ftypheic\0\0\0\0",
    ] {
        let refused = taken(other.to_vec()).await;
        assert!(matches!(refused, Err(CareError::FileKind)));
    }
    let refused = taken(b"\xff\xd8\xff\xe0\0\x04JF<html><script>".to_vec()).await;
    assert!(matches!(refused, Err(CareError::FileBroken)));
    let most = usize::try_from(limits::ATTACHMENT).expect("25 MiB");
    let refused = taken(pdf(most + 1)).await;
    assert!(matches!(refused, Err(CareError::Attachment(_))));
    assert_eq!((blobs(&site), site.size()), (0, before));
    // A beginning that is too short to be anything.
    let file = taken(b"%PDF".to_vec()).await.expect("not known yet");
    assert_eq!(file.kind(), None);
    let file = NamedFile {
        file,
        name: "vide.pdf".to_owned(),
    };
    let refused = site.care.add_document(&nurse, circle, letter(), file).await;
    assert!(matches!(refused, Err(CareError::FileKind)));
    // As long as it may be.
    let file = taken(pdf(most)).await.expect("the longest");
    assert_eq!(file.kind(), Some(FileKind::Pdf));
    let file = NamedFile {
        file,
        name: "long.pdf".to_owned(),
    };
    let added = site.care.add_document(&nurse, circle, letter(), file).await;
    added.expect("the longest document");
    assert_eq!(blobs(&site), most / limits::CHUNK + 1);
}

#[tokio::test]
async fn a_right_that_is_taken_away_while_a_photo_comes_is_not_there_at_its_end() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let circle = opened(&site, &nurse).await;
    let file = came(&site, &nurse, circle, Category::Messages, &pdf(3 << 20)).await;
    let file = named(file.expect("a file"));
    let reads = Habilitation::new([Level::Read; 8]);
    let set = site
        .care
        .set_habilitation(By::itself(), Role::Nurse, reads, 0);
    set.await.expect("another row");
    let refused = site
        .care
        .add_note_with(&nurse, circle, note("Plaie."), file);
    assert!(matches!(refused.await, Err(CareError::NotAllowed(_))));
    assert_eq!(blobs(&site), 0);
}

#[tokio::test]
async fn what_nobody_goes_on_with_is_taken_away_at_once() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let circle = opened(&site, &nurse).await;
    // A job behind all others.
    let settled = async || site.ledger.run(|_| Ok::<_, CareError>(())).await;
    // Its time is over while it comes.
    let file = came(&site, &nurse, circle, Category::Messages, &pdf(3 << 20)).await;
    assert!(blobs(&site) > 30);
    drop(file.expect("a file"));
    settled().await.expect("a job");
    assert_eq!(blobs(&site), 0);
    // It is cut off while what came is put into its place.
    let file = came(&site, &nurse, circle, Category::Messages, &pdf(3 << 20)).await;
    let file = named(file.expect("a file"));
    let writing = site
        .care
        .add_note_with(&nurse, circle, note("Plaie."), file);
    assert!(writing.now_or_never().is_none());
    settled().await.expect("a job");
    assert_eq!(blobs(&site), 0);
}

#[tokio::test]
async fn what_a_stop_leaves_half_way_is_taken_away_at_the_next_start() {
    let site = site();
    let nurse = site.somebody("Camille Roux", Some("60")).await.at_page();
    let circle = opened(&site, &nurse).await;
    let file = came(&site, &nurse, circle, Category::Messages, &pdf(3 << 20)).await;
    assert!(blobs(&site) > 30);
    // Nobody takes anything away any more.
    site.ledger.stop().await;
    drop(file.expect("a file"));
    let site = site.restarted().await;
    assert_eq!(site.care.forget_uploads().await.ok(), Some(1));
    assert_eq!(blobs(&site), 0);
}
