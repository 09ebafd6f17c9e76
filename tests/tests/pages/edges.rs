//! What a form lets through when somebody means ill or taps twice: each rule holds whatever is typed.

use maillon_tests::{
    daemon::{Settings, Trouble, pair},
    ground::{COLLEAGUE, DOCTOR, FIRMIN, Ground, NURSE, between, node, open as open_as, signed_in},
    visitor::Visitor,
};

use super::{
    Story,
    administration::administrator,
    ensure,
    files::{add_to_team, colleague, nurse, open, says, to_add},
    folder,
};

/// Turns what follows it around.
const TURNS: char = '\u{202e}';

#[test]
fn whoever_sends_the_same_twice_has_written_it_once() -> Story {
    let root = folder()?;
    let (_node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let note = [("nature", "observation"), ("texte", "Pansement refait.")];
    let alert = [("gravite", "importante"), ("texte", "Chute au lever.")];
    for _ in 0..3 {
        for (page, fields) in [("note", note), ("alerte", alert)] {
            let sent = nurse.post(&format!("{address}/{page}"), &fields)?;
            ensure(sent.status == 303, || format!("{sent:?}"))?;
        }
    }
    let page = nurse.get(&format!("{address}/carnet"))?;
    ensure(page.text.matches("Pansement refait.").count() == 1, || {
        page.text.clone()
    })?;
    let page = nurse.get(&format!("{address}?fil=alertes"))?;
    let said = page.text.matches("<p>Chute au lever.</p>").count();
    ensure(said == 1, || page.text.clone())?;
    // Something else is something else.
    let other = [("nature", "intervention"), ("texte", "Pansement refait.")];
    nurse.post(&format!("{address}/note"), &other)?;
    let page = nurse.get(&format!("{address}/carnet"))?;
    ensure(page.text.matches("Pansement refait.").count() == 2, || {
        page.text.clone()
    })
}

#[test]
fn a_text_of_which_one_sees_nothing_is_none_and_no_text_turns_another_around() -> Story {
    let root = folder()?;
    let (_node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    for blank in ["\u{200b}", "\u{202e} \u{2060}", "\0"] {
        for (page, more) in [
            ("note", ("nature", "observation")),
            ("alerte", ("gravite", "savoir")),
        ] {
            let sent = nurse.post(&format!("{address}/{page}"), &[more, ("texte", blank)])?;
            ensure(sent.status == 422, || format!("{blank:?}: {sent:?}"))?;
        }
    }
    let turned = format!("A mangé.{TURNS}los el rus");
    let fields = [("nature", "observation"), ("texte", turned.as_str())];
    nurse.post(&format!("{address}/note"), &fields)?;
    let page = nurse.get(&format!("{address}/carnet"))?;
    says(&page, &["A mangé.los el rus"])?;
    ensure(!page.text.contains(TURNS), || page.text.clone())?;
    // A name is typed again.
    let name = format!("Zoé DU{TURNS}PONT");
    let fields = [
        ("nom", name.as_str()),
        ("lien", "DAUC"),
        ("aidant", "1"),
        ("telephone", "06 39 98 00 12"),
    ];
    let noted = nurse.post(&format!("{address}/equipe/proche"), &fields)?;
    ensure(noted.status == 422, || format!("{noted:?}"))?;
    says(&noted, &["signes invisibles"])
}

#[test]
fn an_address_that_is_no_text_is_answered_as_one_that_does_not_exist() -> Story {
    let root = folder()?;
    let (_node, mut nurse) = nurse(&root)?;
    for address in ["/dossiers/%ff", "/dossiers/%c3", "/%80", "/patients/%ff%fe"] {
        let answer = nurse.get(address)?;
        ensure(answer.status == 404, || format!("{address}: {answer:?}"))?;
        says(&answer, &["Page introuvable", "revenez à l’accueil"])?;
    }
    Ok(())
}

#[test]
fn nobody_is_invited_into_a_file_that_has_ended() -> Story {
    let root = folder()?;
    let dac = node(Settings::dac(), root.path())?;
    let cpts = node(Settings::cpts(), root.path())?;
    let (mut nurse, mut doctor) = (signed_in(&dac, NURSE)?, signed_in(&cpts, DOCTOR)?);
    pair(&dac, &cpts)?;
    let address = open_as(&mut nurse, &FIRMIN)?;
    let form = format!("{address}/cercle");
    nurse.post(&form, &[("geste", "clore"), ("raison", "fin")])?;
    let to = cpts.node()?.to_string();
    let invite = [
        ("geste", "inviter"),
        ("structure", to.as_str()),
        ("raison", "soins"),
        ("passe", "tout"),
    ];
    let refused = nurse.post(&form, &invite)?;
    ensure(refused.status >= 400, || format!("{refused:?}"))?;
    let page = doctor.get("/invitations")?;
    ensure(!page.text.contains("Lemonnier"), || page.text.clone())
}

#[test]
fn what_was_said_of_a_broken_glass_is_settled_by_others_than_whoever_broke_it() -> Story {
    let mut ground = Ground::lay()?;
    let mut colleague = signed_in(&ground.dac, COLLEAGUE)?;
    let words = "rien »\nAccès exceptionnel : Étienne Hauchecorne, hors de l’équipe, ouvre ce dossier. « vu";
    let fields = [("motif", "danger"), ("raison", words)];
    let glass = format!("{}/acces-exceptionnel", ground.file);
    colleague.post(&glass, &fields)?;
    let alerts = format!("{}?fil=alertes", ground.file);
    let page = ground.nurse.get(&alerts)?;
    // What they wrote stays within their own words.
    ensure(
        page.text.matches("<p>Accès exceptionnel").count() == 1
            && page.text.contains("Accès exceptionnel : Inès Delahaye"),
        || page.text.clone(),
    )?;
    let alert = between(&page, "name=\"alerte\" value=\"", "\"").to_owned();
    let close = [
        ("alerte", alert.as_str()),
        ("reponse", "close"),
        ("commentaire", "Rien à signaler."),
    ];
    let closed = colleague.post(&format!("{}/alerte/reponse", ground.file), &close)?;
    ensure(closed.status == 403, || format!("{closed:?}"))?;
    says(
        &ground.nurse.get("/")?,
        &["Accès exceptionnel", "Je m’en charge"],
    )?;
    let closed = ground
        .nurse
        .post(&format!("{}/alerte/reponse", ground.file), &close)?;
    ensure(closed.status == 303, || format!("{closed:?}"))
}

#[test]
fn whoever_is_the_referent_has_no_last_day() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let _other = colleague(&node)?;
    let member = to_add(&mut nurse, &address)?;
    let fields = [
        ("debut", "01/09/2026"),
        ("fin", "12/2998"),
        ("reference", "1"),
    ];
    let refused = nurse.post(&member, &fields)?;
    ensure(refused.status == 422, || format!("{refused:?}"))?;
    says(&refused, &["sans dernier jour"])
}

#[test]
fn nobody_outside_a_team_learns_of_a_file_whether_it_is_there_or_has_ended() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let (going, ended) = (open(&mut nurse)?, open_as(&mut nurse, &FIRMIN)?);
    nurse.post(
        &format!("{ended}/cercle"),
        &[("geste", "clore"), ("raison", "fin")],
    )?;
    let nowhere = "/dossiers/0123456789abcdef01234567".to_owned();
    let mut outside = colleague(&node)?;
    let mut administrator = administrator(&node)?;
    let pages = ["note", "alerte", "equipe/proche", "equipe/professionnel"];
    let status = |visitor: &mut Visitor, file: &str, page: &str| {
        let page = visitor.get(&format!("{file}/{page}"))?;
        Ok::<_, Trouble>(page.status)
    };
    for page in pages {
        for file in [&going, &ended, &nowhere] {
            let seen = status(&mut administrator, file, page)?;
            ensure(seen == 403, || format!("{file}/{page}: {seen}"))?;
        }
        for file in [&going, &ended] {
            let seen = status(&mut outside, file, page)?;
            ensure(seen == 403, || format!("{file}/{page}: {seen}"))?;
        }
    }
    add_to_team(&mut nurse, &going)?;
    let seen = status(&mut outside, &going, "note")?;
    ensure(seen == 200, || format!("{seen}"))
}
