//! What stands on somebody's own first page: the notes that they have not read, their favourites; and refusals, from which they go on.

use std::time::Duration;

use maillon_protocol::content::{IdentityStatus, Ins, InsKind, PatientIdentity};
use maillon_tests::{
    daemon::{Trouble, person, professional, wait},
    ground::{between, until_it_says},
    visitor::Visitor,
};

use super::{
    Story, ensure,
    files::{OPENS, ROZENN, add_to_team, colleague, create, nurse, open, open_another, says},
    folder,
    live::quiet_stream_of,
};

const NEW: &str = "m-tag--new";

fn place(text: &str, words: &str) -> usize {
    text.find(words).unwrap_or(usize::MAX)
}

#[test]
fn notes_that_somebody_has_not_read_wait_on_their_first_page_until_they_look_themselves() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut other = colleague(&node)?;
    add_to_team(&mut nurse, &address)?;
    let home = quiet_stream_of(&mut other, "/")?;
    ensure(home.contains("notes=true"), || home.clone())?;
    let mut home = other.events(&home)?;
    for text in ["Pansement refait.", "Glycémie stable."] {
        let fields = [("nature", "observation"), ("texte", text)];
        nurse.post(&format!("{address}/note"), &fields)?;
    }
    // An open first page is told, and loads itself again.
    loop {
        let event = home.next(Duration::from_secs(5))?;
        let event = event.ok_or_else(|| Trouble::wrong("not told"))?;
        if event.name == "nouveau" && event.data == "notes" {
            break;
        }
    }

    // Why the file was opened is the first of them.
    let waits = ["Notes non lues", "3 nouvelles notes, la dernière de"];
    let page = other.get("/")?;
    says(&page, &waits)?;
    ensure(!page.text.contains("Pansement"), || page.text.clone())?;
    // Whoever wrote them has none to read.
    let own = nurse.get("/")?;
    ensure(!own.text.contains(waits[0]), || own.text.clone())?;
    // A page that loads itself again is no look, and alerts are no notes.
    other.alone = true;
    let alone = other.get(&format!("{address}/carnet"))?;
    says(&alone, &["Pansement refait.", NEW])?;
    other.alone = false;
    other.get(&format!("{address}?fil=alertes"))?;
    // Nor is the form for a note of one's own: nothing of what waits is on it.
    other.get(&format!("{address}/note"))?;
    says(&other.get("/")?, &waits)?;

    let read = other.get(&format!("{address}/carnet"))?;
    ensure(read.text.matches(NEW).count() == 3, || read.text.clone())?;
    let again = other.get(&format!("{address}/carnet"))?;
    ensure(!again.text.contains(NEW), || again.text.clone())?;
    let page = other.get("/")?;
    ensure(!page.text.contains(waits[0]), || page.text.clone())
}

#[test]
fn notes_that_were_on_no_page_yet_wait_until_they_are() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut other = colleague(&node)?;
    add_to_team(&mut nurse, &address)?;
    for number in 0..45 {
        let text = format!("Passage {number}.");
        let fields = [("nature", "observation"), ("texte", text.as_str())];
        nurse.post(&format!("{address}/note"), &fields)?;
    }
    // With the reason for which the file was opened.
    says(&other.get("/")?, &["46 nouvelles notes"])?;
    let notebook = format!("{address}/carnet");
    let first = other.get(&notebook)?;
    ensure(first.text.matches(NEW).count() == 40, || first.text.clone())?;
    says(&other.get("/")?, &["6 nouvelles notes"])?;
    let older = between(
        &first,
        "<a class=\"btn btn-quiet m-no-print\" href=\"",
        "\"",
    );
    let older = other.get(&older.replace("&#38;", "&"))?;
    ensure(older.text.matches(NEW).count() == 6, || older.text.clone())?;
    let page = other.get("/")?;
    ensure(!page.text.contains("Notes non lues"), || page.text.clone())
}

#[test]
fn a_favourite_stands_first_for_whoever_chose_it_and_for_nobody_else() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let rozenn = open(&mut nurse)?;
    let ferdinand = open_another(&mut nurse)?;
    let mut other = colleague(&node)?;
    add_to_team(&mut nurse, &rozenn)?;
    let fields = [("nature", "observation"), ("texte", "Passage du matin.")];
    nurse.post(&format!("{ferdinand}/note"), &fields)?;
    let order = |visitor: &mut Visitor| -> Result<bool, Trouble> {
        let page = visitor.get("/")?;
        Ok(place(&page.text, "Rozenn Le Dantec") < place(&page.text, "Ferdinand Hamelin"))
    };
    // The list follows the note a moment later.
    wait::until("the newest first", wait::LONG, || {
        Ok((!order(&mut nurse)?).then_some(()))
    })?;

    let star = format!("{rozenn}/favori");
    let here = format!("{rozenn}/carnet");
    let chosen = nurse.post(&star, &[("favori", "oui"), ("retour", here.as_str())])?;
    ensure(chosen.leads_to() == here, || format!("{chosen:?}"))?;
    says(&nurse.get(&here)?, &["aria-pressed=\"true\""])?;
    ensure(order(&mut nurse)?, || "the favourite first".to_owned())?;
    let list = nurse.get("/patients?voir=favoris")?;
    says(&list, &["Rozenn Le Dantec", "star-filled"])?;
    ensure(!list.text.contains("Hamelin"), || list.text.clone())?;

    // It is nobody else's, and gives no right.
    let theirs = other.get("/patients?voir=favoris")?;
    says(&theirs, &["Aucun favori"])?;
    let refused = other.post(&format!("{ferdinand}/favori"), &[("favori", "oui")])?;
    ensure(refused.status == 403, || format!("{refused:?}"))?;
    let theirs = other.get("/patients?voir=favoris")?;
    says(&theirs, &["Aucun favori"])?;

    nurse.post(&star, &[("favori", "non"), ("retour", here.as_str())])?;
    says(&nurse.get("/patients?voir=favoris")?, &["Aucun favori"])?;
    let nonsense = nurse.post(&star, &[("favori", "peut-être")])?;
    ensure(nonsense.status == 400, || format!("{nonsense:?}"))
}

#[test]
fn whoever_is_refused_a_page_goes_on_from_there() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let mut other = colleague(&node)?;
    let address = open(&mut nurse)?;
    for (path, status) in [(address.as_str(), 403), ("/dossiers/ffff", 404)] {
        let refused = other.get(path)?;
        ensure(refused.status == status, || format!("{refused:?}"))?;
        says(
            &refused,
            &["href=\"/patients\"", "/deconnexion", "Inès Delahaye"],
        )?;
        ensure(!refused.text.contains("Quintric"), || refused.text.clone())?;
    }
    // Of nobody who is signed in nothing stands there.
    let mut nobody = Visitor::new(&node.pages()?);
    let refused = nobody.post("/patients", &[("q", "Le")])?;
    ensure(
        refused.status == 401 && !refused.text.contains("/deconnexion"),
        || format!("{refused:?}"),
    )
}

#[test]
fn two_files_that_might_be_of_one_person_are_a_doubt_until_somebody_decides() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let first = open(&mut nurse)?;
    says(&nurse.get("/patients/doutes")?, &["Aucun doute"])?;
    // The same name, and the birth date with day and month changed about: the nurse said that it is somebody else.
    let mut person = ROZENN;
    person[2] = ("naissance", "19/07/1942");
    let seen = create(&mut nurse, &person, &[("etape", "identite")])?;
    let vus = between(&seen, "name=\"vus\" value=\"", "\"").to_owned();
    let step = [("vus", vus.as_str()), ("choix", "nouveau")];
    let opened = create(&mut nurse, &person, &[&OPENS[..], &step[..]].concat())?;
    let second = opened.leads_to().to_owned();
    ensure(second.starts_with("/dossiers/"), || format!("{opened:?}"))?;

    let mut other = colleague(&node)?;
    says(&other.get("/patients")?, &["1 doute d’identité"])?;
    let doubts = other.get("/patients/doutes")?;
    says(
        &doubts,
        &[
            "Identité proche",
            "19 juillet 1941",
            "19 juillet 1942",
            "vous n’êtes pas dans l’équipe",
        ],
    )?;
    // It opens nothing.
    ensure(!doubts.text.contains(&first), || doubts.text.clone())?;
    let address = |path: &str| path.trim_start_matches("/dossiers/").to_owned();
    let (one, another) = (address(&first), address(&second));
    let nobody = [("un", one.as_str()), ("autre", one.as_str())];
    let refused = other.post("/patients/doutes", &nobody)?;
    ensure(refused.status == 404, || format!("{refused:?}"))?;
    // Either way round.
    let apart = [("un", another.as_str()), ("autre", one.as_str())];
    let decided = other.post("/patients/doutes", &apart)?;
    ensure(decided.status == 303, || format!("{decided:?}"))?;
    says(&nurse.get("/patients/doutes")?, &["Aucun doute"])?;
    let list = nurse.get("/patients")?;
    ensure(!list.text.contains("doute d’identité"), || {
        list.text.clone()
    })?;
    says(&nurse.get(&format!("{first}/acces"))?, &["Inès Delahaye"])
}

#[test]
fn two_files_of_one_qualified_ins_are_never_said_to_be_of_two_people() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let qualified = PatientIdentity {
        // A test number that the national agency publishes.
        ins: Some(Ins::new("279035121518989", InsKind::TestNir)),
        status: IdentityStatus::Qualified,
        validated_by: "CN".to_owned(),
        ..person()
    };
    let opener = professional(&node, "Claire Vasseur", "10999003055", "330")?;
    let mut opener = node.client()?.acting_as(&opener);
    for _ in 0..2 {
        opener.circle_open(qualified.clone())?;
    }
    let page = until_it_says(&mut nurse, "/patients/doutes", "c’est la même personne")?;
    ensure(!page.text.contains("Ce sont deux personnes"), || {
        page.text.clone()
    })?;
    let circles = node.client()?.circles()?;
    let address = |place: usize| circles[place].circle.to_string()[..24].to_owned();
    let (one, other) = (address(0), address(1));
    let apart = [("un", one.as_str()), ("autre", other.as_str())];
    let refused = nurse.post("/patients/doutes", &apart)?;
    ensure(refused.status == 409, || format!("{refused:?}"))?;
    says(&nurse.get("/patients")?, &["1 doute d’identité"])
}
