//! The administration on pages: accounts, structures that are linked, the health of the node, what was done; for whoever administers it and nobody else.

use maillon_tests::{
    daemon::{Daemon, Settings, Trouble, professional, wait},
    visitor::{Page, Visitor},
};

use super::{
    LOGIN, NAME, PASSWORD, Story, ensure,
    files::{nurse, open, says},
    folder,
};

fn come_in(node: &Daemon, login: &str, code: &str) -> Result<Visitor, Trouble> {
    let mut visitor = Visitor::new(&node.pages()?);
    let fields = [
        ("login", login),
        ("code", code),
        ("next", PASSWORD),
        ("again", PASSWORD),
    ];
    let page = visitor.post("/premiere-connexion", &fields)?;
    ensure(page.status == 200, || format!("{page:?}"))?;
    Ok(visitor)
}

/// Whoever administers the node, signed in for the first time.
pub(super) fn administrator(node: &Daemon) -> Result<Visitor, Trouble> {
    let made = node
        .client()?
        .account_administer("hugo.lecarpentier", "Hugo Lecarpentier")?;
    come_in(node, "hugo.lecarpentier", &made.code)
}

/// What stands in a page between two texts.
fn between<'a>(page: &'a Page, before: &str, after: &str) -> &'a str {
    let rest = page.text.split(before).nth(1).unwrap_or_default();
    rest.split(after).next().unwrap_or_default()
}

fn routes() -> Vec<String> {
    let all = maillon_node::web::closed_routes().into_iter();
    let ours = all.filter(|path| path.starts_with("/administration"));
    ours.map(|path| path.replace("{pairing}", "4be07a19c3d2"))
        .collect()
}

#[test]
fn a_professional_finds_no_page_of_the_administration_and_changes_nothing_there() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let home = nurse.get("/")?;
    ensure(!home.text.contains("/administration"), || home.text.clone())?;
    let routes = routes();
    ensure(routes.len() >= 11, || format!("{routes:?}"))?;
    let fields = [
        ("nom", "Hugo"),
        ("identifiant", "hugo"),
        ("administre", "1"),
        ("acte", "fermer"),
        ("reponse", "confirmer"),
    ];
    for path in &routes {
        let page = nurse.get(path)?;
        ensure(
            page.status == 403 && page.text.contains("Réservé à l’administration"),
            || format!("{path}: {page:?}"),
        )?;
        let sent = nurse.post(path, &fields)?;
        ensure([403, 404].contains(&sent.status), || {
            format!("{path}: {sent:?}")
        })?;
    }
    let accounts = node.client()?.account_list()?;
    ensure(accounts.len() == 1, || format!("{accounts:?}"))
}

#[test]
fn an_administrator_adds_an_account_and_its_person_comes_in_with_the_code() -> Story {
    let root = folder()?;
    let (node, _) = nurse(&root)?;
    let id = professional(&node, "Inès Delahaye", "10999002040", "60")?;
    let mut hugo = administrator(&node)?;
    let form = hugo.get("/administration/comptes/nouveau")?;
    says(&form, &["Inès Delahaye", "Administre le nœud"])?;
    let boxed = format!("pro-{id}");
    let fields = [
        ("nom", "Inès Delahaye"),
        ("identifiant", LOGIN),
        (boxed.as_str(), "1"),
    ];
    let taken = hugo.post("/administration/comptes/nouveau", &fields)?;
    ensure(
        taken.status == 422 && taken.text.contains("a déjà cet identifiant"),
        || format!("{taken:?}"),
    )?;
    let nobody = hugo.post("/administration/comptes/nouveau", &fields[..2])?;
    ensure(nobody.status == 422, || format!("{nobody:?}"))?;
    let fields = [fields[0], ("identifiant", "ines.delahaye"), fields[2]];
    let made = hugo.post("/administration/comptes/nouveau", &fields)?;
    says(&made, &["Il ne sera plus jamais affiché", "ines.delahaye"])?;
    let code = between(&made, "<code>", "</code>").to_owned();
    let mut ines = come_in(&node, "ines.delahaye", &code)?;
    says(&ines.get("/")?, &["Inès Delahaye"])?;
    // A professional has one account.
    let fields = [fields[0], ("identifiant", "ines.d"), fields[2]];
    let second = hugo.post("/administration/comptes/nouveau", &fields)?;
    ensure(
        second.status == 422 && second.text.contains("agit déjà au nom"),
        || format!("{second:?}"),
    )?;

    // Once more, and the old way in is over at once.
    let list = hugo.get("/administration/comptes")?;
    ensure(!list.text.contains(&code), || list.text.clone())?;
    says(&list, &["session ouverte", "administration</span>", NAME])?;
    let row = list.text.split("<strong>Inès Delahaye").nth(1);
    let account = row.and_then(|row| row.split("name=\"compte\" value=\"").nth(1));
    let account = account
        .and_then(|rest| rest.split('"').next())
        .unwrap_or_default();
    let acts = |act| [("compte", account), ("acte", act)];
    let again = hugo.post("/administration/comptes/acte", &acts("recommencer"))?;
    let code = between(&again, "<code>", "</code>").to_owned();
    let out = ines.get("/patients")?;
    ensure(out.leads_to().starts_with("/connexion"), || {
        format!("{out:?}")
    })?;
    let mut ines = come_in(&node, "ines.delahaye", &code)?;
    let closed = hugo.post("/administration/comptes/acte", &acts("fermer"))?;
    ensure(closed.status == 303, || format!("{closed:?}"))?;
    let out = ines.get("/patients")?;
    ensure(out.leads_to().starts_with("/connexion"), || {
        format!("{out:?}")
    })?;
    says(&hugo.get(closed.leads_to())?, &["Compte fermé.", "Rouvrir"])?;

    let list = hugo.get("/administration/comptes")?;
    // The name stands in the menu too.
    let row = list.text.split("<strong>Hugo").last().unwrap_or_default();
    let own = row.split("name=\"compte\" value=\"").nth(1);
    let own = own
        .and_then(|rest| rest.split('"').next())
        .unwrap_or_default();
    let last = [("compte", own), ("acte", "fermer")];
    let last = hugo.post("/administration/comptes/acte", &last)?;
    ensure(last.status == 409, || format!("{last:?}"))?;
    let journal = hugo.get("/administration/journal")?;
    says(
        &journal,
        &[
            "Compte créé",
            "Compte fermé",
            "Hugo Lecarpentier",
            "Connexion",
        ],
    )
}

#[test]
fn two_nodes_become_peers_through_the_pages_of_their_administrators() -> Story {
    let root = folder()?;
    let start = |settings: Settings, name: &str| {
        let mut settings = settings;
        settings.web = Some("127.0.0.1:0".to_owned());
        Daemon::new(&root.path().join(name), settings)
    };
    let (dac, mut cpts) = (
        start(Settings::dac(), "dac")?,
        start(Settings::cpts(), "cpts")?,
    );
    let (mut here, mut there) = (administrator(&dac)?, administrator(&cpts)?);
    says(
        &here.get("/administration/structures")?,
        &["relié à personne"],
    )?;
    let invitation = here.post("/administration/structures/inviter", &[])?;
    says(&invitation, &["data:image/svg+xml;base64,"])?;
    let text = between(&invitation, "spellcheck=\"false\">", "</textarea>").to_owned();
    let own = between(&invitation, "href=\"/administration/appairages/", "\"").to_owned();
    let own = format!("/administration/appairages/{own}");
    says(&here.get(&own)?, &["pas encore accepté"])?;

    let accept = "/administration/structures/accepter";
    let half = there.post(accept, &[("texte", &text[..text.len() / 2])])?;
    ensure(half.status == 422, || format!("{half:?}"))?;
    let itself = here.post(accept, &[("texte", &text)])?;
    ensure(
        itself.status == 422 && itself.text.contains("ce nœud même"),
        || format!("{itself:?}"),
    )?;
    let accepted = there.post(accept, &[("texte", &text)])?;
    let other = accepted.leads_to().to_owned();
    ensure(other.starts_with("/administration/appairages/"), || {
        format!("{accepted:?}")
    })?;
    let words = |page: &Page| {
        let list = between(page, "<ol class=\"m-plain m-mono mb-0\">", "</ol>");
        list.replace("<li>", "")
            .replace("</li>", " ")
            .trim()
            .to_owned()
    };
    let page = there.get(&other)?;
    let heard = words(&page);
    ensure(heard.split(' ').count() == 5, || page.text.clone())?;
    let page = here.get(&own)?;
    ensure(words(&page) == heard, || page.text.clone())?;

    let said = |words| [("reponse", "confirmer"), ("mots", words)];
    let wrong = here.post(&own, &said("abaisser cerise jardin nuage voyage"))?;
    ensure(wrong.status == 422, || format!("{wrong:?}"))?;
    let confirmed = here.post(&own, &said(&heard))?;
    ensure(confirmed.leads_to() == own, || format!("{confirmed:?}"))?;
    says(
        &here.get(&own)?,
        &["L’autre structure doit confirmer aussi"],
    )?;
    let confirmed = there.post(&other, &said(&heard.to_uppercase()))?;
    ensure(confirmed.status == 303, || format!("{confirmed:?}"))?;
    for one in [&mut here, &mut there] {
        wait::until("both are linked", wait::LONG, || {
            let page = one.get("/administration/structures")?;
            Ok(page.text.contains("<span>Joignable").then_some(()))
        })?;
    }
    let page = here.get(&own)?;
    says(&page, &["Les deux structures sont reliées"])?;
    // The other one stops: it is said so, and tried again when somebody asks.
    cpts.stop()?;
    let page = wait::until("it is away", wait::LONG, || {
        let page = here.get("/administration/structures")?;
        Ok(page.text.contains("Injoignable").then_some(page))
    })?;
    let node = between(&page, "name=\"noeud\" value=\"", "\"").to_owned();
    let again = here.post("/administration/structures/essai", &[("noeud", &node)])?;
    says(&here.get(again.leads_to())?, &["Nouvel essai en cours."])
}

#[test]
fn the_overview_says_how_the_node_is_and_the_journal_holds_no_patient() -> Story {
    let root = folder()?;
    let (mut node, mut nurse) = nurse(&root)?;
    open(&mut nurse)?;
    let mut hugo = administrator(&node)?;
    let page = hugo.get("/administration")?;
    says(
        &page,
        &[
            "Santé du nœud",
            "Communauté professionnelle territoriale de santé",
            "Empreinte",
            "Signature du journal",
            "Tout vérifier maintenant",
        ],
    )?;
    let sent = hugo.post("/administration/verification", &[])?;
    ensure(sent.leads_to() == "/administration", || format!("{sent:?}"))?;
    let page = wait::until("everything was looked at", wait::LONG, || {
        let page = hugo.get("/administration")?;
        Ok(page.text.contains("Vérifiée <time").then_some(page))
    })?;
    says(&page, &["Tout va bien"])?;
    for path in routes() {
        let page = hugo.get(&path)?;
        for name in [
            "Rozenn",
            "Quintric",
            "Le Dantec",
            "file.read",
            "A ouvert ce dossier",
        ] {
            ensure(!page.text.contains(name), || {
                format!("{path}: {}", page.text)
            })?;
        }
    }
    let journal = hugo.get("/administration/journal")?;
    says(
        &journal,
        &["Le journal est entier", "Connexion", "Camille Roux"],
    )?;
    // The node signs its trail when a day has passed, and the first time soon after a start.
    node.stop()?;
    node.start()?;
    let mut hugo = Visitor::new(&node.pages()?);
    let fields = [("login", "hugo.lecarpentier"), ("password", PASSWORD)];
    hugo.post("/connexion", &fields)?;
    wait::until("it is signed", wait::LONG, || {
        let page = hugo.get("/administration/journal")?;
        Ok(page
            .text
            .contains("Signé par ce nœud jusqu’à la ligne")
            .then_some(()))
    })
}
