//! The team on pages: a professional is found by name and added, somebody close is noted, terms end, and what each structure has received. Over whole processes,
//! as a browser without script sees them.

use maillon_tests::{
    daemon::{Settings, Trouble, pair, professional},
    ground::{self, DOCTOR, NURSE, between, signed_in, until_it_says},
    visitor::{Page, Visitor},
};

use super::{
    PASSWORD, Story, ensure,
    files::{TERM, add_to_team, colleague, nurse, open, open_another, says, to_add},
    folder,
};

const ODILE: [(&str, &str); 5] = [
    ("nom", "Odile Quintric"),
    ("lien", "DAUC"),
    ("aidant", "1"),
    ("confiance", "1"),
    ("telephone", "06.39.98.00.12"),
];

fn hides(page: &Page, all: &[&str]) -> Story {
    for words in all {
        ensure(!page.text.contains(words), || {
            format!("{} with {words:?}: {}", page.status, page.text)
        })?;
    }
    Ok(())
}

/// Looks for somebody to add to a team.
fn search(visitor: &mut Visitor, address: &str, typed: &str) -> Result<Page, Trouble> {
    visitor.post(&format!("{address}/equipe/professionnel"), &[("q", typed)])
}

/// The address of the form that changes the term of somebody in the team.
pub(super) fn term_of(visitor: &mut Visitor, address: &str, name: &str) -> Result<String, Trouble> {
    let team = visitor.get(&format!("{address}/equipe"))?;
    let link = format!("aria-label=\"Modifier la participation : {name}\"");
    let before = team.text.split(&link).next().unwrap_or_default();
    let at = before.rsplit("href=\"").next().unwrap_or_default();
    let at = at.split('"').next().unwrap_or_default().to_owned();
    ensure(team.text.contains(&link) && at.starts_with(address), || {
        team.text.clone()
    })?;
    Ok(at)
}

/// Accepts the invitation that waits.
fn accept(visitor: &mut Visitor) -> Story {
    let list = until_it_says(visitor, "/invitations", "Vous invite")?;
    let id = between(&list, "href=\"/invitations/", "\"").to_owned();
    let fields = [("reponse", "accepter"), ("personne", "nouvelle")];
    let done = visitor.post(&format!("/invitations/{id}"), &fields)?;
    ensure(done.status == 303, || format!("{done:?}"))
}

#[test]
fn a_colleague_is_found_by_name_and_added_with_a_role_and_a_period() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut other = colleague(&node)?;
    says(
        &nurse.get(&format!("{address}/equipe"))?,
        &["Ajouter un professionnel", "Ajouter un proche"],
    )?;
    let all = nurse.get(&format!("{address}/equipe/professionnel"))?;
    says(&all, &["Inès Delahaye", "Camille Roux", "dans l’équipe"])?;
    let found = search(&mut nurse, &address, "dela infir")?;
    says(&found, &["1 professionnel trouvé", "value=\"dela infir\""])?;
    let nobody = search(&mut nurse, &address, "Dupont")?;
    says(
        &nobody,
        &[
            "Personne ne correspond à « Dupont »",
            "Inviter une structure",
        ],
    )?;

    // A page that there is not leads to the first one, whatever its number.
    for page in ["7", "18446744073709551615"] {
        let to = format!("{address}/equipe/professionnel");
        let beyond = nurse.post(&to, &[("q", "infir"), ("page", page)])?;
        ensure(beyond.leads_to() == to, || format!("{beyond:?}"))?;
    }

    let at = to_add(&mut nurse, &address)?;
    let form = nurse.get(&at)?;
    says(
        &form,
        &[
            "Inès Delahaye",
            "infirmier",
            "Correspondant",
            "Camille Roux reste dans l’équipe",
        ],
    )?;
    // A nurse is no médecin traitant, and no invitation is needed.
    hides(&form, &["Médecin traitant", "Inviter sa structure"])?;
    // What is wrong stands beside its field, and what was typed stays.
    for (fields, sentences) in [
        (
            &[("debut", "hier"), ("fonction", "CORRE")][..],
            &[
                "Rien n’a été enregistré",
                "id=\"debut-err\"",
                "value=\"hier\"",
                "value=\"CORRE\" selected",
            ][..],
        ),
        (
            &[("debut", "")],
            &["Écrivez le premier jour de la participation."],
        ),
        (
            &[("debut", "01/09/2026"), ("fin", "31/08/2026")],
            &[
                "le dernier jour est avant le premier.",
                "value=\"31/08/2026\"",
            ],
        ),
        (
            &[("debut", "01/09/2026"), ("fin", "31/02/2027")],
            &["Ce mois n’a pas ce jour.", "id=\"fin-err\""],
        ),
        (
            &[("debut", "01/09/2026"), ("fonction", "PCP")],
            &["seul un médecin peut être médecin traitant."],
        ),
        (
            &[("debut", "01/09/2026"), ("fonction", "ZZ")],
            &["Choisissez une fonction de la liste."],
        ),
        (
            &[("debut", "2999"), ("reference", "1")],
            &["dans l’équipe dès aujourd’hui", "value=\"1\" checked"],
        ),
    ] {
        let refused = nurse.post(&at, fields)?;
        ensure(refused.status == 422, || format!("{refused:?}"))?;
        says(&refused, sentences)?;
    }
    ensure(other.get(&address)?.status == 403, String::new)?;
    let fields = [
        ("debut", "01/09/2026"),
        ("fin", "12/2998"),
        ("fonction", "CORRE"),
    ];
    let added = nurse.post(&at, &fields)?;
    ensure(
        added.leads_to() == format!("{address}/equipe?ecrit=equipe"),
        || format!("{added:?}"),
    )?;
    says(
        &nurse.get(added.leads_to())?,
        &[
            "Équipe mise à jour.",
            "Inès Delahaye</strong>, infirmier, correspondant",
            "du 1er septembre 2026 à décembre 2998",
        ],
    )?;
    says(&other.get(&address)?, &["Rozenn Le Dantec"])?;
    // A second click adds nobody twice.
    let again = nurse.post(&at, &fields)?;
    ensure(again.status == 422, || format!("{again:?}"))?;
    says(&again, &["Cette participation en recouvre une autre"])
}

#[test]
fn who_is_not_in_the_team_reaches_no_page_of_it_and_changes_nothing() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut other = colleague(&node)?;
    let at = to_add(&mut nurse, &address)?;
    let close = format!("{address}/equipe/proche");
    nurse.post(&close, &ODILE)?;
    let term = term_of(&mut nurse, &address, "Odile Quintric")?;
    for page in [
        &at,
        &close,
        &term,
        &format!("{address}/equipe/professionnel"),
    ] {
        let page = other.get(page)?;
        ensure(page.status == 403, || format!("{page:?}"))?;
        hides(&page, &["Rozenn", "Odile", "Camille"])?;
    }
    let end = [("geste", "terminer"), ("quand", "maintenant")];
    let tried = [
        other.post(&at, &TERM)?,
        other.post(&close, &ODILE)?,
        other.post(&term, &end)?,
        other.post(&term, &[("geste", "reference")])?,
        search(&mut other, &address, "roux")?,
    ];
    for page in tried {
        ensure(page.status == 403, || format!("{page:?}"))?;
        hides(&page, &["Rozenn", "Odile", "Camille"])?;
    }
    let team = nurse.get(&format!("{address}/equipe"))?;
    says(&team, &["Odile Quintric"])?;
    hides(&team, &["Inès Delahaye", "terminée"])?;
    // What a search never showed is nobody.
    let made_up = format!("{address}/equipe/professionnel/{}", "0".repeat(32));
    ensure(nurse.get(&made_up)?.status == 404, String::new)?;
    ensure(nurse.post(&made_up, &TERM)?.status == 404, String::new)
}

#[test]
fn somebody_close_is_noted_with_a_number_to_call_and_taken_off_again() -> Story {
    let root = folder()?;
    let (_node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let close = format!("{address}/equipe/proche");
    let empty = nurse.post(&close, &[("nom", " "), ("lien", "")])?;
    ensure(empty.status == 422, || format!("{empty:?}"))?;
    says(
        &empty,
        &[
            "Rien n’a été enregistré",
            "Écrivez son prénom et son nom.",
            "Cochez au moins un rôle.",
            "Écrivez un numéro où l’appeler.",
        ],
    )?;
    let mut wrong = ODILE;
    wrong[4] = ("telephone", "06 39 98");
    let wrong = nurse.post(&close, &wrong)?;
    ensure(wrong.status == 422, || format!("{wrong:?}"))?;
    says(
        &wrong,
        &[
            "Ce numéro ne peut pas être appelé.",
            "value=\"06 39 98\"",
            "value=\"Odile Quintric\"",
            "value=\"DAUC\" selected",
            "name=\"aidant\" value=\"1\" checked",
        ],
    )?;
    let noted = nurse.post(&close, &ODILE)?;
    says(
        &nurse.get(noted.leads_to())?,
        &[
            "Proche noté.",
            "Odile Quintric</strong>, fille, personne de confiance, aidant",
            "href=\"tel:0639980012\">06 39 98 00 12</a>",
        ],
    )?;

    let term = term_of(&mut nurse, &address, "Odile Quintric")?;
    let form = nurse.get(&term)?;
    says(&form, &["Proches", "Mettre fin"])?;
    hides(&form, &["Confier la référence"])?;
    let unclear = nurse.post(&term, &[("geste", "terminer")])?;
    ensure(unclear.status == 422, || format!("{unclear:?}"))?;
    let never = [("geste", "terminer"), ("quand", "date"), ("jour", "jamais")];
    let never = nurse.post(&term, &never)?;
    ensure(never.status == 422, || format!("{never:?}"))?;
    says(&never, &["value=\"jamais\"", "id=\"jour-err\""])?;
    let early = [("geste", "terminer"), ("quand", "date"), ("jour", "1999")];
    let early = nurse.post(&term, &early)?;
    ensure(early.status == 422, || format!("{early:?}"))?;
    says(&early, &["avant d’avoir commencé"])?;
    let end = [("geste", "terminer"), ("quand", "maintenant")];
    let ended = nurse.post(&term, &end)?;
    says(
        &nurse.get(ended.leads_to())?,
        &[
            "Participation terminée.",
            "Aucun proche n’est noté",
            "Une participation est terminée",
            "Odile Quintric",
        ],
    )?;
    // The form that was open elsewhere changes nothing any more.
    let late = nurse.post(&term, &end)?;
    ensure(late.status == 409, || format!("{late:?}"))?;
    // Whoever comes back has another term.
    nurse.post(&close, &ODILE)?;
    let team = nurse.get(&format!("{address}/equipe"))?;
    ensure(
        team.text.matches("<strong>Odile Quintric</strong>").count() == 2,
        || team.text.clone(),
    )
}

#[test]
fn the_reference_is_handed_over_and_whoever_had_it_leaves() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut other = colleague(&node)?;
    let own = term_of(&mut nurse, &address, "Camille Roux")?;
    let form = nurse.get(&own)?;
    says(&form, &["Confiez d’abord ce rôle à quelqu’un d’autre"])?;
    hides(&form, &["value=\"terminer\""])?;
    let end = [("geste", "terminer"), ("quand", "maintenant")];
    let alone = nurse.post(&own, &end)?;
    ensure(alone.status == 409, || format!("{alone:?}"))?;

    add_to_team(&mut nurse, &address)?;
    let ines = term_of(&mut nurse, &address, "Inès Delahaye")?;
    let handed = nurse.post(&ines, &[("geste", "reference")])?;
    says(
        &nurse.get(handed.leads_to())?,
        &[
            "Le rôle de référent est confié.",
            "Inès Delahaye</strong>, référent du dossier, infirmier",
            "Camille Roux</strong>, infirmier",
        ],
    )?;
    let own = term_of(&mut nurse, &address, "Camille Roux")?;
    let gone = nurse.post(&own, &end)?;
    ensure(gone.leads_to() == "/patients", || format!("{gone:?}"))?;
    ensure(nurse.get(&address)?.status == 403, String::new)?;
    let looks = other.get(&format!("{address}/acces"))?;
    says(
        &looks,
        &[
            "A mis fin à une participation",
            "A confié le rôle de référent",
        ],
    )?;
    hides(&looks, &["team.end", "team.referent"])
}

#[test]
fn names_that_carry_markup_are_text_wherever_the_team_shows_them() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    professional(&node, "<i>Zoé</i> & \"Cie\"", "10999003055", "60")?;
    let found = search(&mut nurse, &address, "zoé <i>")?;
    says(&found, &["1 professionnel trouvé", "Zoé"])?;
    let at = to_add(&mut nurse, &address)?;
    let form = nurse.get(&at)?;
    let nobody = search(&mut nurse, &address, "<i>x</i> \"><script>")?;
    says(&nobody, &["Personne ne correspond"])?;
    nurse.post(&at, &TERM)?;
    let mut close = ODILE;
    close[0] = ("nom", "<i>Odile</i>");
    close[4] = ("telephone", "\"><i>06</i>");
    let wrong = nurse.post(&format!("{address}/equipe/proche"), &close)?;
    ensure(wrong.status == 422, || format!("{wrong:?}"))?;
    close[4] = ODILE[4];
    nurse.post(&format!("{address}/equipe/proche"), &close)?;
    let team = nurse.get(&format!("{address}/equipe"))?;
    says(&team, &["Zoé", "Odile"])?;
    let summary = nurse.get(&address)?;
    says(&summary, &["Zoé"])?;
    for page in [found, form, nobody, wrong, team, summary] {
        hides(&page, &["<i>", "<script>"])?;
    }
    Ok(())
}

#[test]
fn a_professional_of_another_territory_is_found_without_whom_they_care_for_and_comes_with_their_structure()
-> Story {
    let root = folder()?;
    let dac = ground::node(Settings::dac(), root.path())?;
    let mut nurse = signed_in(&dac, NURSE)?;
    let cpts = ground::node(Settings::cpts(), root.path())?;
    let mut doctor = signed_in(&cpts, DOCTOR)?;
    pair(&dac, &cpts)?;
    let shared = open(&mut nurse)?;
    nurse.post(&format!("{shared}/equipe/proche"), &ODILE)?;
    let node = cpts.node()?.to_string();
    let invite = [
        ("geste", "inviter"),
        ("structure", node.as_str()),
        ("raison", "soins"),
        ("passe", "tout"),
    ];
    nurse.post(&format!("{shared}/cercle"), &invite)?;
    accept(&mut doctor)?;
    until_it_says(
        &mut nurse,
        &format!("{shared}/equipe"),
        "Étienne Hauchecorne",
    )?;

    // A colleague who does not open that file, with one of her own.
    let ines = professional(&dac, "Inès Delahaye", "10999004061", "60")?;
    let made = dac.client()?.account_add("ines", "Inès Delahaye", &ines)?;
    let mut ines = Visitor::new(&dac.pages()?);
    let fields = [
        ("login", "ines"),
        ("code", made.code.as_str()),
        ("next", PASSWORD),
        ("again", PASSWORD),
    ];
    ines.post("/premiere-connexion", &fields)?;
    ensure(ines.get(&shared)?.status == 403, String::new)?;
    let own = open_another(&mut ines)?;
    let found = search(&mut ines, &own, "hauche")?;
    says(
        &found,
        &[
            "1 professionnel trouvé",
            "Étienne Hauchecorne",
            "médecin",
            "structure à inviter",
        ],
    )?;
    // Nothing of the file by which he is known, and nobody who is close to anybody.
    let of_the_file = shared.trim_start_matches("/dossiers/");
    hides(&found, &["Rozenn", "Quintric", of_the_file, "10999002040"])?;
    for typed in ["odile", "quintric", "rozenn", "0639980012"] {
        says(
            &search(&mut ines, &own, typed)?,
            &["Personne ne correspond"],
        )?;
    }
    let all = ines.get(&format!("{own}/equipe/professionnel"))?;
    hides(&all, &["Hauchecorne"])?;

    let at = between(&found, &format!("href=\"{own}/equipe/professionnel/"), "\"");
    let at = format!("{own}/equipe/professionnel/{at}");
    let form = ines.get(&at)?;
    says(
        &form,
        &[
            "Inviter sa structure",
            "Médecin traitant",
            "Ajouter et inviter",
        ],
    )?;
    // What its structure may read is nobody's choice but theirs.
    hides(&form, &[" checked"])?;
    let unclear = [
        ("debut", "01/09/2026"),
        ("fonction", "PCP"),
        ("raison", "appui"),
    ];
    let unclear = ines.post(&at, &unclear)?;
    ensure(unclear.status == 422, || format!("{unclear:?}"))?;
    says(
        &unclear,
        &[
            "Dites ce qu’elle pourra lire.",
            "id=\"passe-err\"",
            "value=\"appui\" checked",
        ],
    )?;
    hides(&unclear, &["Dites pourquoi elle est invitée"])?;
    let fields = [
        ("debut", "01/09/2026"),
        ("fonction", "PCP"),
        ("raison", "soins"),
        ("passe", "tout"),
    ];
    let added = ines.post(&at, &fields)?;
    let team = ines.get(added.leads_to())?;
    says(
        &team,
        &[
            "invitation envoyée à sa structure",
            "Étienne Hauchecorne</strong>, médecin, médecin traitant",
            "Invitée, sans réponse pour l’instant",
        ],
    )?;
    // Who does not open the file yet is told from those who do.
    let waits = "n’ouvre pas encore le dossier";
    ensure(team.text.matches(waits).count() == 1, || team.text.clone())?;
    accept(&mut doctor)?;
    until_it_says(&mut doctor, "/patients", "Ferdinand Hamelin")?;
    until_it_says(&mut ines, &format!("{own}/equipe"), "A tout reçu")?;
    hides(&ines.get(&format!("{own}/equipe"))?, &[waits])?;
    let team = until_it_says(&mut doctor, &format!("{own}/equipe"), "médecin traitant")?;
    ensure(
        team.text
            .matches("Modifier la participation : Étienne Hauchecorne\"")
            .count()
            == 1,
        || team.text.clone(),
    )?;
    // He is the referent next, at the other node too, and the first referent stays in the team.
    let term = term_of(&mut ines, &own, "Étienne Hauchecorne")?;
    ines.post(&term, &[("geste", "reference")])?;
    until_it_says(
        &mut doctor,
        &format!("{own}/equipe"),
        "Étienne Hauchecorne</strong>, référent du dossier",
    )?;
    // And known still, after others have changed what his structure wrote of him.
    let term = term_of(&mut nurse, &shared, "Étienne Hauchecorne")?;
    let end = [("geste", "terminer"), ("quand", "maintenant")];
    nurse.post(&term, &end)?;
    wait_until_closed(&mut doctor, &shared)?;
    let found = search(&mut nurse, &shared, "etienne")?;
    says(&found, &["Étienne Hauchecorne"])?;
    hides(&found, &["structure à inviter", "dans l’équipe"])
}

fn wait_until_closed(visitor: &mut Visitor, address: &str) -> Story {
    use maillon_tests::daemon::wait;
    wait::until("a file that is closed to them", wait::LONG, || {
        let page = visitor.get(address)?;
        Ok((page.status == 403).then_some(()))
    })
}

#[test]
fn the_page_says_what_each_structure_has_received_and_when_it_was_last_reached() -> Story {
    let root = folder()?;
    let dac = ground::node(Settings::dac(), root.path())?;
    let mut nurse = signed_in(&dac, NURSE)?;
    let mut cpts = ground::node(Settings::cpts(), root.path())?;
    let mut doctor = signed_in(&cpts, DOCTOR)?;
    pair(&dac, &cpts)?;
    let address = open(&mut nurse)?;
    let team = format!("{address}/equipe");
    let node = cpts.node()?.to_string();
    let invite = [
        ("geste", "inviter"),
        ("structure", node.as_str()),
        ("raison", "soins"),
        ("passe", "tout"),
    ];
    nurse.post(&format!("{address}/cercle"), &invite)?;
    says(&nurse.get(&team)?, &["sans réponse pour l’instant"])?;
    accept(&mut doctor)?;
    until_it_says(&mut nurse, &team, "Étienne Hauchecorne")?;
    let page = until_it_says(&mut nurse, &team, "A tout reçu")?;
    says(&page, &["Joignable en ce moment", "Lit tout le dossier"])?;
    hides(&page, &["sans réponse pour l’instant"])?;
    cpts.stop()?;
    for text in ["Passage du matin.", "Passage du soir."] {
        let fields = [("nature", "observation"), ("texte", text)];
        nurse.post(&format!("{address}/note"), &fields)?;
    }
    let page = until_it_says(&mut nurse, &team, "Jointe pour la dernière fois")?;
    says(&page, &["Il lui manque 2 éléments, le plus ancien écrit"])?;
    says(
        &nurse.get(&format!("{address}/cercle"))?,
        &["Dans le cercle", "Il lui manque 2 éléments"],
    )
}
