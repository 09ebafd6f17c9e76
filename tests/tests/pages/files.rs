//! Patients and their files: opened, found, written in, and closed to whoever is not in the team. Over whole processes, as a browser without script sees them.

use maillon_protocol::admin::{Answer, AuditPage, Call, TeamCall};
use maillon_tests::{
    daemon::{Daemon, Trouble, person, professional},
    visitor::{Page, Visitor},
};
use tempfile::TempDir;

use super::{NAME, PASSWORD, Story, ensure, first, folder, with_a_nurse};

pub(super) const ROZENN: [(&str, &str); 11] = [
    ("nom", "Quintric"),
    ("prenoms", "Rozenn Marie"),
    ("naissance", "19/07/1941"),
    ("sexe", "f"),
    ("lieu", "29998"),
    ("nomu", "Le Dantec"),
    ("prenomu", ""),
    ("ins", ""),
    ("cle", ""),
    ("piece", "CN"),
    ("tele", "non"),
];
pub(super) const OPENS: [(&str, &str); 4] = [
    ("etape", "ouvrir"),
    ("choix", "nouveau"),
    ("motif", "Retour à domicile après une fracture."),
    ("info", "informee"),
];

/// A nurse who is signed in.
pub(super) fn nurse(root: &TempDir) -> Result<(Daemon, Visitor), Trouble> {
    let (node, code) = with_a_nurse(root)?;
    let mut nurse = Visitor::new(&node.pages()?);
    first(&mut nurse, &code)?;
    Ok((node, nurse))
}

/// A second nurse of the same structure.
pub(super) fn colleague(node: &Daemon) -> Result<Visitor, Trouble> {
    let id = professional(node, "Inès Delahaye", "10999002040", "60")?;
    let made = node
        .client()?
        .account_add("ines.delahaye", "Inès Delahaye", &id)?;
    let mut visitor = Visitor::new(&node.pages()?);
    let fields = [
        ("login", "ines.delahaye"),
        ("code", made.code.as_str()),
        ("next", PASSWORD),
        ("again", PASSWORD),
    ];
    visitor.post("/premiere-connexion", &fields)?;
    Ok(visitor)
}

/// The address at which the one colleague is added who is not in a person's team yet.
pub(super) fn to_add(nurse: &mut Visitor, address: &str) -> Result<String, Trouble> {
    let search = format!("{address}/equipe/professionnel");
    let page = nurse.get(&search)?;
    let key = page.text.split(&format!("href=\"{search}/")).nth(1);
    let key = key.and_then(|rest| rest.split('"').next());
    let key = key.ok_or_else(|| Trouble::wrong(format!("nobody to add: {page:?}")))?;
    Ok(format!("{search}/{key}"))
}

/// What the form of a new term asks for.
pub(super) const TERM: [(&str, &str); 1] = [("debut", "01/09/2026")];

/// Adds the one colleague who is not in a person's team yet.
pub(super) fn add_to_team(nurse: &mut Visitor, address: &str) -> Story {
    let at = to_add(nurse, address)?;
    let done = nurse.post(&at, &TERM)?;
    ensure(done.status == 303, || format!("{done:?}"))
}

pub(super) fn create(
    visitor: &mut Visitor,
    identity: &[(&str, &str)],
    step: &[(&str, &str)],
) -> Result<Page, Trouble> {
    visitor.post("/patients/nouveau", &[step, identity].concat())
}

/// Opens Rozenn's file; its address.
pub(super) fn open(visitor: &mut Visitor) -> Result<String, Trouble> {
    let done = create(visitor, &ROZENN, &OPENS)?;
    let address = done.leads_to().to_owned();
    ensure(address.starts_with("/dossiers/"), || format!("{done:?}"))?;
    Ok(address)
}

/// Opens a file of somebody who resembles nobody here; its address.
pub(super) fn open_another(visitor: &mut Visitor) -> Result<String, Trouble> {
    let mut person = ROZENN;
    (person[0], person[1]) = (("nom", "Hamelin"), ("prenoms", "Ferdinand"));
    (person[2], person[3]) = (("naissance", "04/03/1950"), ("sexe", "m"));
    person[5] = ("nomu", "");
    let done = create(visitor, &person, &OPENS)?;
    let address = done.leads_to().to_owned();
    ensure(address.starts_with("/dossiers/"), || format!("{done:?}"))?;
    Ok(address)
}

pub(super) fn says(page: &Page, all: &[&str]) -> Story {
    for words in all {
        ensure(page.text.contains(words), || {
            format!("{} without {words:?}: {}", page.status, page.text)
        })?;
    }
    Ok(())
}

#[test]
fn a_page_comes_packed_to_whoever_unpacks_and_what_is_looked_for_goes_as_it_is() -> Story {
    let root = folder()?;
    let (_node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let (_, plain) = nurse.bytes(&address)?;
    nurse.unpacks = true;
    let (page, packed) = nurse.bytes(&address)?;
    ensure(page.header("content-encoding") == "gzip", || {
        format!("{page:?}")
    })?;
    ensure(packed.len() * 2 < plain.len(), || {
        format!("{} bytes of {}", packed.len(), plain.len())
    })?;
    ensure(page.header("cache-control") == "no-store", String::new)?;
    // The page of a search repeats what was typed.
    let found = nurse.post("/patients", &[("q", "le dan")])?;
    ensure(found.header("content-encoding").is_empty(), || {
        format!("{found:?}")
    })
}

#[test]
fn a_nurse_opens_a_file_and_writes_a_note_two_steps_from_the_list() -> Story {
    let root = folder()?;
    let (_node, mut nurse) = nurse(&root)?;
    let empty = nurse.get("/patients")?;
    says(
        &empty,
        &["Vous ne suivez encore personne", "/patients/nouveau"],
    )?;
    let form = nurse.get("/patients/nouveau")?;
    says(&form, &["Les cinq traits", "name=\"naissance\""])?;
    let step = create(&mut nurse, &ROZENN, &[("etape", "identite")])?;
    ensure(step.status == 200, || format!("{step:?}"))?;
    says(
        &step,
        &[
            "Ouvrir le dossier",
            "Rozenn Le Dantec",
            "née Quintric",
            "Camille Roux",
        ],
    )?;
    let address = open(&mut nurse)?;

    let list = nurse.get("/patients")?;
    says(
        &list,
        &["1 dossier", "Rozenn Le Dantec", "née le 19 juillet 1941"],
    )?;
    says(&list, &[&format!("href=\"{address}/note\"")])?;
    // A search is sent, so that no address keeps whom somebody looked for.
    let found = nurse.post("/patients", &[("q", "le dan 1941")])?;
    says(&found, &["1 personne trouvée", "value=\"le dan 1941\""])?;
    let nobody = nurse.post("/patients", &[("q", "goff")])?;
    says(
        &nobody,
        &["Personne ne correspond à « goff » parmi vos patients"],
    )?;
    let far = nurse.get("/patients?page=18446744073709551615")?;
    ensure(far.leads_to() == "/patients", || format!("{far:?}"))?;
    let form = nurse.get(&format!("{address}/note"))?;
    says(&form, &["Seule votre structure la lira", "name=\"texte\""])?;
    let fields = [
        ("nature", "observation"),
        ("texte", "A peu mangé.\r\nBoit bien."),
    ];
    let sent = nurse.post(&format!("{address}/note"), &fields)?;
    ensure(
        sent.leads_to() == format!("{address}/carnet?ecrit=note"),
        || format!("{sent:?}"),
    )?;
    let notebook = nurse.get(sent.leads_to())?;
    says(
        &notebook,
        &[
            "Note envoyée au cercle.",
            "<p>A peu mangé.</p><p>Boit bien.</p>",
            "Observation",
            "Camille Roux, infirmier",
        ],
    )?;
    // The reason is the first note; the summary has the whole, the newest first.
    let summary = nurse.get(&address)?;
    says(
        &summary,
        &[
            "Retour à domicile",
            "La personne, informée, ne s’oppose pas au partage",
            "référent du dossier, infirmier",
        ],
    )?;
    let (note, reason) = (
        summary.text.find("A peu mangé"),
        summary.text.find("Retour à domicile"),
    );
    ensure(note < reason, || summary.text.clone())?;
    // A browser keeps nothing of it, and no title names anybody.
    ensure(summary.header("cache-control") == "no-store", || {
        format!("{:?}", summary.headers)
    })?;
    ensure(
        summary.text.contains("<title>Dossier · Maillon</title>"),
        || summary.text.clone(),
    )?;
    let answer = notebook.text.split("?reponse=").nth(1);
    let answer = answer
        .and_then(|rest| rest.split('"').next())
        .unwrap_or_default();
    let fields = [
        ("nature", "generale"),
        ("texte", "Merci, je repasse ce soir."),
        ("reponse", answer),
    ];
    nurse.post(&format!("{address}/note"), &fields)?;
    let notebook = nurse.get(&format!("{address}/carnet"))?;
    says(&notebook, &["m-replies", "Merci, je repasse ce soir."])
}

#[test]
fn who_is_not_in_the_team_opens_nothing_by_any_address_until_somebody_adds_them() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut other = colleague(&node)?;
    let list = other.get("/patients?voir=structure")?;
    says(
        &list,
        &["Rozenn Le Dantec", "Vous n’êtes pas dans son équipe"],
    )?;
    let opens = format!("href=\"{address}\"");
    ensure(!list.text.contains(&opens), || list.text.clone())?;
    for page in ["", "/carnet", "/equipe", "/note", "?fil=notes"] {
        let page = other.get(&format!("{address}{page}"))?;
        ensure(page.status == 403, || format!("{page:?}"))?;
        says(&page, &["Vous n’êtes pas dans l’équipe"])?;
        ensure(!page.text.contains("Rozenn"), || page.text.clone())?;
    }
    let fields = [("nature", "generale"), ("texte", "Bonjour.")];
    let sent = other.post(&format!("{address}/note"), &fields)?;
    ensure(sent.status == 403, || format!("{sent:?}"))?;

    let at = to_add(&mut nurse, &address)?;
    says(&nurse.get(&at)?, &["Inès Delahaye"])?;
    let mine = other.post(&at, &TERM)?;
    ensure(mine.status == 403, || format!("{mine:?}"))?;
    let added = nurse.post(&at, &TERM)?;
    ensure(added.status == 303, || format!("{added:?}"))?;
    let page = other.get(&format!("{address}/carnet"))?;
    says(&page, &["Retour à domicile"])?;
    // Addresses that are nobody's are all alike.
    for wrong in [
        "/dossiers/0",
        "/dossiers/zz",
        &address[..address.len() - 1],
        "/dossiers/000000000000000000000000",
    ] {
        let page = other.get(wrong)?;
        ensure(page.status == 404, || format!("{wrong}: {page:?}"))?;
    }
    Ok(())
}

#[test]
fn a_file_that_was_opened_with_the_command_is_found_once_its_team_has_somebody() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let coordinator = professional(&node, "Claire Vasseur", "10999003055", "330")?;
    let mut client = node.client()?.acting_as(&coordinator);
    let circle = client.circle_open(person())?.line.circle.to_string();
    says(
        &nurse.get("/patients")?,
        &["Vous ne suivez encore personne"],
    )?;
    let Answer::Professionals(people) = client.call(Call::ProfessionalList)? else {
        return Err(Trouble::wrong("an answer of another kind"));
    };
    let mut people = people.into_iter();
    let camille = people.find(|one| one.professional.name == NAME);
    let camille = camille.map_or_else(String::new, |one| one.id);
    let mut team = |call| match client.call(Call::Team(call))? {
        Answer::Team(team) => Ok(team.members.len()),
        other => Err(Trouble::wrong(format!("{other:?}"))),
    };
    let list = || TeamCall::List {
        circle: circle.clone(),
    };
    let add = || TeamCall::Add {
        circle: circle.clone(),
        professional: camille.clone(),
    };
    let sizes = [team(list())?, team(add())?, team(add())?, team(list())?];
    ensure(sizes == [0, 1, 1, 1], || format!("{sizes:?}"))?;
    let list = nurse.get("/patients")?;
    let address = list.text.split("href=\"/dossiers/").nth(1);
    let address = address
        .and_then(|rest| rest.split('"').next())
        .unwrap_or_default();
    let page = nurse.get(&format!("/dossiers/{address}/acces"))?;
    says(
        &page,
        &["A fait entrer quelqu’un dans l’équipe", "Claire Vasseur"],
    )
}

#[test]
fn whoever_administers_the_node_sees_no_patient() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let made = node
        .client()?
        .account_administer("hugo.lecarpentier", "Hugo Lecarpentier")?;
    let mut administrator = Visitor::new(&node.pages()?);
    let fields = [
        ("login", "hugo.lecarpentier"),
        ("code", made.code.as_str()),
        ("next", PASSWORD),
        ("again", PASSWORD),
    ];
    administrator.post("/premiere-connexion", &fields)?;
    let home = administrator.get("/")?;
    ensure(!home.text.contains("href=\"/patients\""), || {
        home.text.clone()
    })?;
    for page in [
        "/patients",
        "/patients?voir=structure",
        "/patients/nouveau",
        &address,
        &format!("{address}/note"),
    ] {
        let page = administrator.get(page)?;
        ensure(
            page.status == 403 && !page.text.contains("Quintric") && !page.text.contains("Rozenn"),
            || format!("{page:?}"),
        )?;
    }
    let sent = create(&mut administrator, &ROZENN, &OPENS)?;
    ensure(sent.status == 403, || format!("{sent:?}"))
}

#[test]
fn a_birth_place_is_typed_as_people_say_it_and_chosen_where_several_are_called_so() -> Story {
    let root = folder()?;
    let (_node, mut nurse) = nurse(&root)?;
    // What a browser proposes as one types; markup is a name like any other.
    let proposed = nurse.get("/patients/lieux?lieu=quimp")?;
    says(
        &proposed,
        &["<option value=\"Quimper (29232)\">", "Quimperl"],
    )?;
    let nothing = nurse.get("/patients/lieux?lieu=%3Cscript%3E")?;
    ensure(nothing.status == 200 && nothing.text.is_empty(), || {
        format!("{nothing:?}")
    })?;
    let mut typed = ROZENN;
    typed[4] = ("lieu", "saint-denis");
    let form = create(&mut nurse, &typed, &[("etape", "identite")])?;
    ensure(form.status == 422, || format!("{form:?}"))?;
    says(
        &form,
        &[
            "id=\"lieu-err\"",
            "value=\"saint-denis\"",
            "name=\"lieu-choisi\" value=\"Saint-Denis (93066)\"",
            "name=\"lieu-choisi\" value=\"Saint-Denis (97411)\"",
        ],
    )?;
    // One was chosen, and then another name was typed over: what was typed last counts.
    let chosen = [
        ("etape", "identite"),
        ("lieu-ecrit", "saint-denis"),
        ("lieu-choisi", "Saint-Denis (97411)"),
    ];
    let open = create(&mut nurse, &typed, &chosen)?;
    says(&open, &["née le 19 juillet 1941 à Saint-Denis", "(97411)"])?;
    typed[4] = ("lieu", "Portugal");
    let open = create(&mut nurse, &typed, &chosen)?;
    says(&open, &["née le 19 juillet 1941 (Portugal)"])?;
    typed[4] = ("lieu", "QUIMPER");
    let done = create(&mut nurse, &typed, &OPENS)?;
    let file = nurse.get(done.leads_to())?;
    says(&file, &["née le 19 juillet 1941 à Quimper"])
}

#[test]
fn bad_input_keeps_what_was_typed_and_says_beside_the_field_what_to_do() -> Story {
    let root = folder()?;
    let (_node, mut nurse) = nurse(&root)?;
    let mut wrong = ROZENN;
    wrong[2] = ("naissance", "19/13/1941");
    (wrong[7], wrong[8]) = (("ins", "2410729998317"), ("cle", "41"));
    let form = create(&mut nurse, &wrong, &[("etape", "identite")])?;
    ensure(form.status == 422, || format!("{form:?}"))?;
    says(
        &form,
        &[
            "value=\"Quintric\"",
            "value=\"19/13/1941\"",
            "mois 13",
            "La clé ne correspond pas",
            "id=\"naissance-err\"",
            "value=\"CN\" selected",
        ],
    )?;
    // Each fault at its own field, and all of them at once.
    let mut wrong = ROZENN;
    (wrong[1], wrong[4]) = (("prenoms", "\u{1f642} Ann3"), ("lieu", "Atlantide"));
    (wrong[3], wrong[6]) = (("sexe", ""), ("prenomu", "-"));
    let form = create(&mut nurse, &wrong, &[("etape", "identite")])?;
    ensure(form.status == 422, || format!("{form:?}"))?;
    says(
        &form,
        &[
            "id=\"prenoms-err\"",
            "Chaque prénom a au moins une lettre",
            "id=\"lieu-err\"",
            "id=\"sexe-err\"",
            "id=\"prenomu-err\"",
        ],
    )?;
    ensure(!form.text.contains("nom-err"), || form.text.clone())?;
    // The same without a reason and without the person's information, and against it.
    let step = [
        ("etape", "ouvrir"),
        ("choix", "nouveau"),
        ("motif", " "),
        ("info", ""),
    ];
    let form = create(&mut nurse, &ROZENN, &step)?;
    ensure(form.status == 422, || format!("{form:?}"))?;
    says(
        &form,
        &[
            "id=\"motif-err\"",
            "id=\"info-err\"",
            "Pourquoi ce dossier</a>, <a href=\"#info-1\">Comment la personne a été informée</a>.",
            "name=\"nom\" value=\"Quintric\"",
        ],
    )?;
    let step = [
        ("etape", "ouvrir"),
        ("choix", "nouveau"),
        ("motif", "Aide"),
        ("info", "oppose"),
    ];
    let form = create(&mut nurse, &ROZENN, &step)?;
    ensure(form.status == 422, || format!("{form:?}"))?;
    says(
        &form,
        &[
            "tant que la personne s’oppose ou n’est pas informée",
            ">Aide</textarea>",
        ],
    )?;
    says(
        &nurse.get("/patients?voir=structure")?,
        &["Aucun dossier dans la structure"],
    )?;

    let address = open(&mut nurse)?;
    let empty = nurse.post(
        &format!("{address}/note"),
        &[
            ("nature", "instruction"),
            ("texte", " \r\n"),
            ("urgence", "1"),
        ],
    )?;
    ensure(empty.status == 422, || format!("{empty:?}"))?;
    says(
        &empty,
        &[
            "Écrivez la note avant de l’envoyer",
            "value=\"instruction\" checked",
            "value=\"1\" checked",
        ],
    )
}

#[test]
fn whoever_is_here_already_is_shown_before_a_second_file_is_opened() -> Story {
    let root = folder()?;
    let (_node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut again = ROZENN;
    again[0] = ("nom", "QUINTRICK");
    let step = create(&mut nurse, &again, &[("etape", "identite")])?;
    ensure(step.status == 200, || format!("{step:?}"))?;
    says(
        &step,
        &[
            "Est-ce la même personne",
            "Identité proche",
            "m-differs\">Quintric<",
            "Quintrick",
            "<th scope=\"row\">Sexe</th><td>Femme</td><td>Femme</td>",
            "<th scope=\"row\">Lieu de naissance</th><td>29998</td><td>29998</td>",
            "Ce n’est pas cette personne",
        ],
    )?;
    let known = &address["/dossiers/".len()..];
    let seen = [("etape", "doublon"), ("vus", known)];
    let nothing = create(&mut nurse, &again, &seen)?;
    ensure(nothing.status == 422, || format!("{nothing:?}"))?;
    // Nobody goes past it by the address of the last step.
    let past = create(
        &mut nurse,
        &again,
        &[("etape", "ouvrir"), ("motif", "Aide"), ("info", "informee")],
    )?;
    says(&past, &["Est-ce la même personne"])?;
    let chosen = create(
        &mut nurse,
        &again,
        &[("etape", "doublon"), ("choix", known)],
    )?;
    ensure(chosen.leads_to() == address, || format!("{chosen:?}"))?;
    let back = create(&mut nurse, &again, &[("etape", "revenir")])?;
    says(&back, &["value=\"QUINTRICK\"", "Les cinq traits"])?;
    // Nor by a second click on the last button: whoever came meanwhile was not looked at.
    says(
        &create(&mut nurse, &again, &OPENS)?,
        &["Est-ce la même personne"],
    )?;
    says(
        &create(&mut nurse, &ROZENN, &OPENS)?,
        &["Mêmes nom, prénom et date de naissance"],
    )?;
    let seen = [&OPENS[..], &[("vus", known)]].concat();
    let other = create(&mut nurse, &again, &seen)?;
    ensure(
        other.leads_to().starts_with("/dossiers/") && other.leads_to() != address,
        || format!("{other:?}"),
    )
}

#[test]
fn every_look_at_a_file_stands_in_the_trail() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    for page in ["", "/carnet", "/equipe"] {
        nurse.get(&format!("{address}{page}"))?;
    }
    let call = Call::AuditList {
        circle: None,
        since_ms: None,
        before: None,
        limit: 20,
    };
    let Answer::Audit(AuditPage { lines, .. }) = node.client()?.call(call)? else {
        return Err(Trouble::wrong("an answer of another kind"));
    };
    for action in [
        "circle.open",
        "file.read",
        "file.read.notes",
        "file.read.team",
    ] {
        let mut named = lines.iter().filter(|line| line.action == action);
        let line = named
            .next()
            .ok_or_else(|| Trouble::wrong(format!("no line {action}: {lines:?}")))?;
        ensure(
            line.name.as_deref() == Some("Camille Roux") && line.circle.is_some(),
            || format!("{line:?}"),
        )?;
    }
    Ok(())
}

#[test]
fn a_nurse_who_must_act_breaks_the_glass_and_the_team_sees_it_on_its_first_page() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut other = colleague(&node)?;
    let list = other.get("/patients?voir=structure")?;
    let glass = format!("{address}/acces-exceptionnel");
    says(&list, &[&format!("href=\"{glass}\"")])?;
    says(
        &other.get(&glass)?,
        &[
            "Accès exceptionnel",
            "Rozenn Le Dantec",
            "L’accès dure une heure",
        ],
    )?;
    let words = "Trouvée au sol.";
    let partly = other.post(&glass, &[("raison", words)])?;
    ensure(partly.status == 422, || format!("{partly:?}"))?;
    says(
        &partly,
        &["id=\"motif-err\"", ">Trouvée au sol.</textarea>"],
    )?;
    ensure(other.get(&address)?.status == 403, String::new)?;
    let done = other.post(&glass, &[("motif", "danger"), ("raison", words)])?;
    ensure(done.leads_to() == address, || format!("{done:?}"))?;
    let page = other.get(&address)?;
    says(&page, &["Accès exceptionnel jusqu’à", "Retour à domicile"])?;
    let team = other.get(&format!("{address}/equipe"))?;
    ensure(!team.text.contains("name=\"professionnel\""), || {
        team.text.clone()
    })?;
    says(
        &nurse.get("/")?,
        &["Accès exceptionnel : Inès Delahaye", "Trouvée au sol."],
    )
}
