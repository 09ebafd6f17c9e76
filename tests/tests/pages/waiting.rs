//! Whose turn it is about an alert, as pages say it: who is asked, who sees to it, and what the one who sent it hears.

use maillon_tests::{
    daemon::Trouble,
    ground::{COLLEAGUE, Ground, between, signed_in, until_it_says},
    visitor::{Page, Visitor},
};

use super::{Story, ensure, files::says};

const FALL: &str = "Chute sans gravité dans le couloir ce matin.";

/// What stands in a list of the page of alerts.
fn under<'a>(page: &'a Page, id: &str) -> &'a str {
    between(page, &format!("id=\"{id}\">"), "</section>")
}

fn answer(
    visitor: &mut Visitor,
    file: &str,
    alert: &str,
    more: &[(&str, &str)],
) -> Result<Page, Trouble> {
    let fields = [&[("alerte", alert), ("retour", "/")], more].concat();
    let page = visitor.post(&format!("{file}/alerte/reponse"), &fields)?;
    ensure(page.status == 303, || format!("{page:?}"))?;
    Ok(page)
}

#[test]
fn an_alert_that_matters_stays_until_somebody_sees_to_it_and_its_sender_hears_what_came_of_it()
-> Story {
    let mut ground = Ground::lay()?;
    let file = ground.file.clone();
    let fields = [("gravite", "importante"), ("texte", FALL)];
    ground.nurse.post(&format!("{file}/alerte"), &fields)?;
    let sent = ground.nurse.get("/alertes")?;
    ensure(
        under(&sent, "h-elsewhere").contains(FALL) && under(&sent, "h-asked").is_empty(),
        || sent.text.clone(),
    )?;

    let home = until_it_says(&mut ground.doctor, "/", FALL)?;
    let alert = between(&home, "name=\"alerte\" value=\"", "\"").to_owned();
    answer(&mut ground.doctor, &file, &alert, &[("reponse", "vue")])?;
    // Nobody sees to it yet; whoever has taken note is not asked whether they have.
    let home = ground.doctor.get("/")?;
    says(
        &home,
        &[
            FALL,
            "Étienne Hauchecorne en a pris connaissance",
            "Je m’en charge",
        ],
    )?;
    ensure(!home.text.contains("value=\"vue\""), || home.text.clone())?;

    let charge = [("reponse", "prise-en-charge")];
    answer(&mut ground.doctor, &file, &alert, &charge)?;
    let page = ground.doctor.get("/alertes")?;
    ensure(
        under(&page, "h-taken").contains(FALL) && under(&page, "h-asked").is_empty(),
        || page.text.clone(),
    )?;
    let heard = until_it_says(
        &mut ground.nurse,
        "/",
        "Prise en charge par Étienne Hauchecorne",
    )?;
    says(&heard, &["Réponses à vos alertes", FALL])?;

    let close = [
        ("reponse", "close"),
        ("commentaire", "Examinée : rien de cassé."),
    ];
    answer(&mut ground.doctor, &file, &alert, &close)?;
    until_it_says(&mut ground.nurse, "/", "rien de cassé")?;
    let page = ground.nurse.get("/alertes")?;
    ensure(under(&page, "h-done").contains("rien de cassé"), || {
        page.text.clone()
    })
}

#[test]
fn a_broken_glass_in_a_shared_file_is_told_to_the_referent_where_they_work() -> Story {
    let mut ground = Ground::lay()?;
    let mut colleague = signed_in(&ground.dac, COLLEAGUE)?;
    let fields = [("motif", "danger"), ("raison", "Chute à domicile.")];
    let glass = format!("{}/acces-exceptionnel", ground.file);
    let broken = colleague.post(&glass, &fields)?;
    ensure(broken.status == 303, || format!("{broken:?}"))?;
    let home = until_it_says(&mut ground.nurse, "/", "hors de l’équipe")?;
    says(&home, &["Je m’en charge", "Une alerte est à traiter"])?;
    let file = ground.nurse.get(&format!("{}?fil=alertes", ground.file))?;
    says(&file, &["hors de l’équipe", "Je m’en charge"])?;
    // The other territory's doctor knows of it, and is not asked.
    let page = until_it_says(&mut ground.doctor, "/alertes", "hors de l’équipe")?;
    ensure(under(&page, "h-elsewhere").contains("hors"), || {
        page.text.clone()
    })
}

#[test]
fn an_alert_is_answered_in_words_and_the_words_stand_below_it() -> Story {
    let mut ground = Ground::lay()?;
    let file = ground.file.clone();
    let fields = [("gravite", "urgente"), ("texte", FALL)];
    ground.nurse.post(&format!("{file}/alerte"), &fields)?;
    let alerts = format!("{file}?fil=alertes");
    let page = until_it_says(&mut ground.doctor, &alerts, FALL)?;
    let thing = between(&page, "/note?reponse=", "\"").to_owned();
    let form = ground.doctor.get(&format!("{file}/note?reponse={thing}"))?;
    says(
        &form,
        &["Répondre à une alerte", FALL, "Maëlle Quesnel-Duval"],
    )?;
    ensure(!form.text.contains("Nature de la note"), || {
        form.text.clone()
    })?;
    let fields = [
        ("reponse", thing.as_str()),
        ("nature", "observation"),
        ("texte", "Je passe avant midi."),
    ];
    let written = ground.doctor.post(&format!("{file}/note"), &fields)?;
    ensure(
        written.leads_to() == format!("{alerts}&ecrit=reponse"),
        || format!("{written:?}"),
    )?;
    let page = until_it_says(&mut ground.nurse, &alerts, "Je passe avant midi.")?;
    let below = between(&page, "class=\"m-replies\"", "</ul>");
    ensure(below.contains("Je passe avant midi."), || page.text.clone())?;
    // The summary says first what matters.
    let summary = ground.nurse.get(&file)?;
    let matters = between(&summary, "id=\"h-matters\"", "</section>");
    ensure(matters.contains(FALL), || summary.text.clone())
}
