//! Two territories, each before its own pages: an invitation is accepted, an alert goes from one to the other and its answer back.

use maillon_protocol::ids::CircleId;
use maillon_tests::{
    daemon::{Settings, pair, professional},
    ground::{COLLEAGUE, DOCTOR, NURSE, between, node, signed_in, until_it_says},
};

use super::{
    Story, ensure,
    files::{open, says},
    folder,
};

#[test]
fn an_alert_of_one_territory_is_answered_on_the_page_of_another_and_the_first_sees_by_whom() -> Story
{
    let root = folder()?;
    let dac = node(Settings::dac(), root.path())?;
    let cpts = node(Settings::cpts(), root.path())?;
    let (mut nurse, mut doctor) = (signed_in(&dac, NURSE)?, signed_in(&cpts, DOCTOR)?);
    pair(&dac, &cpts)?;
    let address = open(&mut nurse)?;
    let circle: CircleId = dac.client()?.circles()?[0].circle;
    let inviting = professional(&dac, "Claire Vasseur", "10999003055", "330")?;
    let mut inviting = dac.client()?.acting_as(&inviting);
    inviting.circle_invite(circle, cpts.node()?)?;

    let list = until_it_says(&mut doctor, "/invitations", "Vous invite")?;
    let id = between(&list, "href=\"/invitations/", "\"").to_owned();
    let page = doctor.get(&format!("/invitations/{id}"))?;
    says(
        &page,
        &[
            "Rozenn Le Dantec",
            "à prendre part aux soins",
            "a choisi ce que votre structure pourra en lire",
            "Personne ne lui ressemble",
            "value=\"nouvelle\" checked",
        ],
    )?;
    let unclear = doctor.post(&format!("/invitations/{id}"), &[("reponse", "accepter")])?;
    ensure(unclear.status == 422, || format!("{unclear:?}"))?;
    let fields = [("reponse", "accepter"), ("personne", "nouvelle")];
    let accepted = doctor.post(&format!("/invitations/{id}"), &fields)?;
    let way = format!("/invitations?acceptee={id}");
    ensure(accepted.leads_to() == way, || format!("{accepted:?}"))?;
    says(&doctor.get(&way)?, &["Invitation acceptée."])?;
    // The page leads to the file as soon as it is there.
    let arrived = until_it_says(&mut doctor, &way, "Le dossier est arrivé")?;
    says(
        &arrived,
        &[&format!("<a href=\"{address}\">Rozenn Le Dantec</a>")],
    )?;
    let never = format!("/invitations?acceptee={}", "7a".repeat(32));
    let never = doctor.get(&never)?;
    ensure(!never.text.contains("Invitation acceptée"), || {
        never.text.clone()
    })?;
    // Whoever accepted is in the team as soon as the file is there.
    let mine = until_it_says(&mut doctor, "/patients", "Rozenn Le Dantec")?;
    says(&mine, &[&format!("href=\"{address}\"")])?;
    let team = until_it_says(
        &mut nurse,
        &format!("{address}/equipe"),
        "Étienne Hauchecorne",
    )?;
    says(&team, &["CPTS"])?;

    let fields = [
        ("gravite", "urgente"),
        ("texte", "Refuse de manger depuis hier soir."),
    ];
    let sent = nurse.post(&format!("{address}/alerte"), &fields)?;
    ensure(
        sent.leads_to() == format!("{address}?fil=alertes&ecrit=alerte"),
        || format!("{sent:?}"),
    )?;
    says(
        &nurse.get(sent.leads_to())?,
        &["Alerte envoyée au cercle.", "Sans prise en charge depuis"],
    )?;
    let home = until_it_says(&mut doctor, "/", "Refuse de manger depuis hier soir.")?;
    says(
        &home,
        &["Une alerte est à traiter", "Rozenn Le Dantec", "Urgente"],
    )?;
    let alert = between(&home, "name=\"alerte\" value=\"", "\"").to_owned();
    let answers = format!("{address}/alerte/reponse");
    let fields = [
        ("alerte", alert.as_str()),
        ("reponse", "prise-en-charge"),
        ("retour", "/"),
    ];
    let done = doctor.post(&answers, &fields)?;
    ensure(done.leads_to() == "/", || format!("{done:?}"))?;
    says(&doctor.get("/")?, &["Rien n’attend votre réponse."])?;
    until_it_says(
        &mut nurse,
        &address,
        "Prise en charge par Étienne Hauchecorne",
    )?;
    // A second time says nothing new, and closing says what was done.
    let twice = doctor.post(&answers, &fields)?;
    ensure(twice.status == 409, || format!("{twice:?}"))?;
    let fields = [
        ("alerte", alert.as_str()),
        ("reponse", "close"),
        ("commentaire", " "),
    ];
    let without = doctor.post(&answers, &fields)?;
    ensure(without.status == 422, || format!("{without:?}"))?;
    let fields = [
        ("alerte", alert.as_str()),
        ("reponse", "close"),
        ("commentaire", "Vue, perfusion posée."),
    ];
    doctor.post(&answers, &fields)?;
    let seen = until_it_says(&mut nurse, &address, "perfusion posée")?;
    says(&seen, &["Close par Étienne Hauchecorne"])?;
    // A note says how far it has come.
    let fields = [("nature", "observation"), ("texte", "Mange de nouveau.")];
    nurse.post(&format!("{address}/note"), &fields)?;
    until_it_says(
        &mut nurse,
        &format!("{address}/carnet"),
        "Reçue par l’autre structure",
    )?;
    // Nobody else of that structure opens it.
    let mut other = signed_in(&cpts, COLLEAGUE)?;
    ensure(other.get(&address)?.status == 403, String::new)?;
    let fields = [("alerte", alert.as_str()), ("reponse", "vue")];
    ensure(other.post(&answers, &fields)?.status == 403, String::new)?;
    ensure(!other.get("/")?.text.contains("Refuse"), String::new)
}

#[test]
fn a_structure_is_invited_and_removed_and_a_file_closed_and_opened_again_on_pages() -> Story {
    let root = folder()?;
    let dac = node(Settings::dac(), root.path())?;
    let cpts = node(Settings::cpts(), root.path())?;
    let (mut nurse, mut doctor) = (signed_in(&dac, NURSE)?, signed_in(&cpts, DOCTOR)?);
    pair(&dac, &cpts)?;
    let address = open(&mut nurse)?;
    let (form, team) = (format!("{address}/cercle"), format!("{address}/equipe"));
    says(&nurse.get(&team)?, &["Inviter, retirer, clore"])?;
    let page = nurse.get(&form)?;
    let node = cpts.node()?.to_string();
    says(
        &page,
        &[
            "Choisir une structure",
            &format!("value=\"{node}\""),
            "Tout le dossier",
        ],
    )?;
    // Nothing is chosen beforehand: neither who is invited nor what they may read.
    for preset in [" selected", " checked"] {
        ensure(!page.text.contains(preset), || page.text.clone())?;
    }
    // What is missing is said beside its field, what was chosen stays, and nothing has changed.
    let unclear = nurse.post(&form, &[("geste", "inviter"), ("structure", &node)])?;
    ensure(unclear.status == 422, || format!("{unclear:?}"))?;
    says(
        &unclear,
        &[
            "Dites pourquoi elle est invitée.",
            "Dites ce qu’elle pourra lire.",
            "id=\"passe-1-err\"",
            &format!("value=\"{node}\" selected"),
        ],
    )?;
    let nobody = [("geste", "inviter"), ("raison", "appui"), ("passe", "rien")];
    let nobody = nurse.post(&form, &nobody)?;
    ensure(nobody.status == 422, || format!("{nobody:?}"))?;
    says(
        &nobody,
        &[
            "Choisissez la structure à inviter.",
            "aria-describedby=\"invitee-err\"",
            "value=\"appui\" checked",
            "value=\"rien\" checked",
        ],
    )?;
    let invite = [
        ("geste", "inviter"),
        ("structure", node.as_str()),
        ("raison", "soins"),
        ("passe", "tout"),
    ];
    let invited = nurse.post(&form, &invite)?;
    says(&nurse.get(invited.leads_to())?, &["Invitation envoyée."])?;
    says(
        &nurse.get(&form)?,
        &["Invitée, sans réponse pour l’instant", "(jusqu’au "],
    )?;

    let list = until_it_says(&mut doctor, "/invitations", "Vous invite")?;
    let id = between(&list, "href=\"/invitations/", "\"").to_owned();
    let fields = [("reponse", "accepter"), ("personne", "nouvelle")];
    doctor.post(&format!("/invitations/{id}"), &fields)?;
    until_it_says(&mut doctor, "/patients", "Rozenn Le Dantec")?;
    until_it_says(&mut nurse, &team, "Étienne Hauchecorne")?;
    // Whoever is not the steward asks for it.
    says(&doctor.get(&form)?, &["tient ce cercle"])?;
    let close = [("geste", "clore"), ("raison", "fin")];
    let asked = doctor.post(&form, &close)?;
    says(&doctor.get(asked.leads_to())?, &["Demande envoyée"])?;

    let closed = nurse.post(&form, &close)?;
    says(
        &nurse.get(closed.leads_to())?,
        &["Dossier clos.", "Rouvrir le dossier", "Rouvrir ce dossier"],
    )?;
    // Each page of it says what has ended, and who may begin it again.
    let page = nurse.get(&address)?;
    says(
        &page,
        &["Ce dossier a été clos <time", "Rouvrir ce dossier"],
    )?;
    let theirs = until_it_says(&mut doctor, &address, "Ce dossier a été clos")?;
    says(&theirs, &["qui tient le cercle, peut le rouvrir."])?;
    ensure(!theirs.text.contains("Rouvrir ce dossier"), || {
        theirs.text.clone()
    })?;
    let written = nurse.post(
        &format!("{address}/note"),
        &[("nature", "generale"), ("texte", "Bonjour.")],
    )?;
    ensure(written.status >= 400, || format!("{written:?}"))?;
    says(&nurse.get("/patients?voir=clos")?, &["Rozenn Le Dantec"])?;
    let again = nurse.post(&form, &[("geste", "rouvrir")])?;
    says(&nurse.get(again.leads_to())?, &["Dossier rouvert."])?;
    // A second click finds it open, and nobody is to blame.
    let twice = nurse.post(&form, &[("geste", "rouvrir")])?;
    ensure(twice.status == 409, || format!("{twice:?}"))?;
    says(&twice, &["Modifié entre-temps"])?;

    let remove = [("geste", "retirer"), ("structure", node.as_str())];
    let removed = nurse.post(&form, &remove)?;
    says(
        &nurse.get(removed.leads_to())?,
        &["Structure retirée du cercle."],
    )?;
    until_it_says(&mut doctor, "/patients?voir=clos", "Rozenn Le Dantec")?;
    says(
        &doctor.get(&address)?,
        &["Votre structure est sortie du cercle <time"],
    )
}
