//! The list of pages that every gate walks: one line for a page, and each route of the node in it. A route that is forgotten fails a test, also where there
//! is no browser.

use std::collections::BTreeSet;

use maillon_node::web::{PUBLIC, closed_routes};
use maillon_tests::{
    browser::Browser,
    daemon::Trouble,
    ground::{COLLEAGUE, Life, NURSE, PASSWORD},
};

use crate::{Story, ensure};

/// Who sees a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Whoever is not signed in.
    Nobody,
    /// A nurse of the DAC.
    Nurse,
    /// Somebody who has signed in and whom nothing waits for.
    Newcomer,
    /// A nurse whose session is locked.
    Locked,
    /// Who administers the DAC's node.
    Administrator,
}

/// One step from a page to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// Types into a field; `{code}` is that of somebody who has not come in yet.
    Fill(&'static str, &'static str),
    /// Clicks.
    Click(&'static str),
    /// Waits until the page says it: where the page before has what is clicked next, too.
    Sees(&'static str),
}

/// A page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    /// What its picture is called.
    pub(crate) name: &'static str,
    /// Who looks.
    pub(crate) who: Who,
    /// Its address; names in braces as in the routes, `{other}` the file of somebody else, `{note}` a note that was answered, `{own}` a file of the nurse's structure alone,
    /// `{choisi}` somebody to add, `{terme}` a term in the team.
    pub(crate) at: &'static str,
    /// What is done there before.
    pub(crate) then: &'static [Act],
    /// Words that only the page meant here has.
    pub(crate) says: &'static str,
    /// Its status is an error, of which the browser complains.
    pub(crate) error: bool,
}

const fn page(who: Who, name: &'static str, at: &'static str, says: &'static str) -> Shown {
    Shown {
        name,
        who,
        at,
        then: &[],
        says,
        error: false,
    }
}

impl Shown {
    const fn after(mut self, then: &'static [Act]) -> Self {
        self.then = then;
        self
    }

    const fn error(mut self) -> Self {
        self.error = true;
        self
    }

    /// Opens it.
    pub(crate) fn open(&self, browser: &Browser, origin: &str, file: &str, life: &Life) -> Story {
        let file = file.trim_start_matches("/dossiers/");
        let at = self.at.replace("{file}", file);
        let at = at.replace("{other}", life.other.trim_start_matches("/dossiers/"));
        let at = at.replace("{invitation}", &life.invitation);
        let at = at.replace("{note}", &life.answered);
        let at = at.replace("{own}", life.own.trim_start_matches("/dossiers/"));
        let at = at.replace("{choisi}", &life.chosen);
        let at = at.replace("{terme}", &life.term);
        browser.go(&format!("{origin}{at}"))?;
        for act in self.then {
            match *act {
                Act::Fill(field, text) => {
                    browser.fill(field, &text.replace("{code}", &life.code))?
                }
                Act::Click(what) => browser.click(what)?,
                Act::Sees(words) => browser.until_it_says(words)?,
            }
        }
        let said = browser.until_it_says(self.says);
        said.map_err(|error| Trouble::wrong(format!("{}: {error}", self.name)))
    }
}

use Act::{Click, Fill, Sees};
use Who::{Administrator, Locked, Newcomer, Nobody, Nurse};

const SEND: Act = Click("main button[type=submit]");
const IDENTITY: [Act; 6] = [
    Fill("#nom", "Quintrec"),
    Fill("#prenoms", "Rozenn"),
    Fill("#naissance", "19/07/1941"),
    Click("#sexe-f"),
    Fill("#lieu", "29998"),
    SEND,
];

/// Every page. Whoever adds a route adds it here, with the states that look different: empty, refused, in error.
pub(crate) const PAGES: &[Shown] = &[
    page(Nobody, "connexion", "/connexion", "Première connexion"),
    page(Nobody, "connexion-refusee", "/connexion", "incorrect")
        .after(&[
            Fill("#login", NURSE.0),
            Fill("#password", "autre chose"),
            SEND,
        ])
        .error(),
    page(
        Nobody,
        "premiere-connexion",
        "/premiere-connexion",
        "Code reçu",
    ),
    page(
        Nobody,
        "premiere-connexion-refusee",
        "/premiere-connexion",
        "ne sont pas identiques",
    )
    .after(&[
        Fill("#login", NURSE.0),
        Fill("#code", "ABCD-EFGH"),
        Fill("#next", "douze lettres au moins"),
        Fill("#again", "douze lettres en moins"),
        SEND,
    ])
    .error(),
    page(Nobody, "secours", "/secours", "Code de secours"),
    page(
        Nobody,
        "secours-refuse",
        "/secours",
        "ne sont pas identiques",
    )
    .after(&[
        Fill("#login", NURSE.0),
        Fill("#code", "ABCD-EFGH"),
        Fill("#next", "douze lettres au moins"),
        Fill("#again", "douze lettres en moins"),
        SEND,
    ])
    .error(),
    page(
        Nobody,
        "codes",
        "/premiere-connexion",
        "plus jamais affichés",
    )
    .after(&[
        Fill("#login", COLLEAGUE.0),
        Fill("#code", "{code}"),
        Fill("#next", PASSWORD),
        Fill("#again", PASSWORD),
        SEND,
    ]),
    page(Nurse, "accueil", "/", "Tension basse"),
    page(Nurse, "menu", "/", "Verrouiller").after(&[Click("[popovertarget=menu]")]),
    page(Nurse, "patients", "/patients", "2 dossiers"),
    page(
        Nurse,
        "patients-structure",
        "/patients?voir=structure",
        "Ancelin",
    ),
    page(Nurse, "patients-clos", "/patients?voir=clos", "clos"),
    page(Nurse, "patients-trouves", "/patients", "1 personne trouvée")
        .after(&[Fill("#q", "le dantec"), Click("[role=search] button")]),
    page(
        Nurse,
        "patients-introuvables",
        "/patients",
        "Personne ne correspond",
    )
    .after(&[Fill("#q", "goff"), Click("[role=search] button")]),
    page(Nurse, "doutes", "/patients/doutes", "Doutes d’identité"),
    page(Nurse, "nouveau", "/patients/nouveau", "Les cinq traits"),
    page(Nurse, "nouveau-refuse", "/patients/nouveau", "À corriger")
        .after(&[SEND])
        .error(),
    page(Nurse, "nouveau-lieu", "/patients/nouveau", "choisissez")
        .after(&[Fill("#lieu", "Saint-Denis"), SEND])
        .error(),
    page(
        Nurse,
        "nouveau-doublon",
        "/patients/nouveau",
        "Est-ce la même personne",
    )
    .after(&IDENTITY),
    page(
        Nurse,
        "nouveau-ouvrir",
        "/patients/nouveau",
        "Pourquoi ce dossier",
    )
    .after(&[
        Fill("#nom", "Hamelin"),
        Fill("#prenoms", "Ferdinand"),
        Fill("#naissance", "04/03/1950"),
        Click("input[name=sexe][value=m]"),
        Fill("#lieu", "76998"),
        SEND,
    ]),
    page(
        Nurse,
        "nouveau-ouvrir-refuse",
        "/patients/nouveau",
        "Rien n’a été enregistré",
    )
    .after(&[
        Fill("#nom", "Hamelin"),
        Fill("#prenoms", "Ferdinand"),
        Fill("#naissance", "04/03/1950"),
        Click("input[name=sexe][value=m]"),
        Fill("#lieu", "76998"),
        SEND,
        Sees("Pourquoi ce dossier"),
        SEND,
    ])
    .error(),
    page(Nurse, "dossier", "/dossiers/{file}", "Fil du dossier"),
    page(
        Nurse,
        "dossier-alertes",
        "/dossiers/{file}?fil=alertes",
        "Sans prise en charge depuis",
    ),
    page(
        Nurse,
        "dossier-alerte-clore",
        "/dossiers/{file}?fil=alertes",
        "Ce qui a été fait",
    )
    .after(&[Click(".m-more summary")]),
    page(
        Nurse,
        "carnet-reception",
        "/dossiers/{file}/carnet",
        "CPTS des Falaises",
    )
    .after(&[Click(".m-reach summary")]),
    page(
        Nurse,
        "carnet",
        "/dossiers/{file}/carnet",
        "kinésithérapeute",
    ),
    page(
        Nurse,
        "equipe",
        "/dossiers/{file}/equipe",
        "Équipe de prise en charge",
    ),
    page(
        Nurse,
        "equipe-recherche",
        "/dossiers/{file}/equipe/professionnel",
        "Nom, profession ou structure",
    ),
    page(
        Nurse,
        "equipe-trouves",
        "/dossiers/{file}/equipe/professionnel",
        "1 professionnel trouvé",
    )
    .after(&[Fill("#q", "lemer"), Click("[role=search] button")]),
    page(
        Nurse,
        "equipe-introuvable",
        "/dossiers/{file}/equipe/professionnel",
        "Personne ne correspond",
    )
    .after(&[Fill("#q", "dupont"), Click("[role=search] button")]),
    page(
        Nurse,
        "equipe-membre",
        "/dossiers/{file}/equipe/professionnel/{choisi}",
        "Référent du dossier",
    ),
    page(
        Nurse,
        "equipe-membre-refuse",
        "/dossiers/{file}/equipe/professionnel/{choisi}",
        "Rien n’a été enregistré",
    )
    .after(&[Fill("#debut", "hier"), SEND])
    .error(),
    page(
        Nurse,
        "equipe-membre-invitation",
        "/dossiers/{own}/equipe/professionnel",
        "Inviter sa structure",
    )
    .after(&[
        Fill("#q", "haucheco"),
        Click("[role=search] button"),
        Sees("1 professionnel trouvé"),
        Click("#resultats a[href*='professionnel/']"),
    ]),
    page(
        Nurse,
        "equipe-proche",
        "/dossiers/{file}/equipe/proche",
        "Lien avec la personne",
    ),
    page(
        Nurse,
        "equipe-proche-refuse",
        "/dossiers/{file}/equipe/proche",
        "Rien n’a été enregistré",
    )
    .after(&[SEND])
    .error(),
    page(
        Nurse,
        "equipe-terme",
        "/dossiers/{file}/equipe/participation/{terme}",
        "Mettre fin à cette participation",
    ),
    page(
        Nurse,
        "equipe-terme-refuse",
        "/dossiers/{file}/equipe/participation/{terme}",
        "Rien n’a changé",
    )
    .after(&[Click("[name=quand][value=date]"), Click("[value=terminer]")])
    .error(),
    page(
        Nurse,
        "document-retrait",
        "/dossiers/{file}/documents",
        "Retirer un document",
    )
    .after(&[Click("main a[href$='/retrait']")]),
    page(
        Nurse,
        "documents",
        "/dossiers/{file}/documents",
        "Ajouter un document",
    ),
    page(
        Nurse,
        "documents-refuse",
        "/dossiers/{file}/documents",
        "Rien n’a été ajouté",
    )
    .after(&[SEND])
    .error(),
    page(
        Nurse,
        "acces",
        "/dossiers/{file}/acces",
        "Qui a consulté ce dossier",
    ),
    page(
        Nurse,
        "cercle",
        "/dossiers/{file}/cercle",
        "Clore le dossier",
    ),
    page(
        Nurse,
        "cercle-refuse",
        "/dossiers/{file}/cercle",
        "Dites pourquoi le dossier est clos",
    )
    .after(&[Click("main button[value=clore]")])
    .error(),
    page(
        Nurse,
        "note-correction",
        "/dossiers/{file}/carnet",
        "Retirer cette note",
    )
    .after(&[Click(".m-entry__foot a[href*='/note/']")]),
    page(
        Nurse,
        "note-correction-refusee",
        "/dossiers/{file}/carnet",
        "Écrivez le texte corrigé",
    )
    .after(&[
        Click(".m-entry__foot a[href*='/note/']"),
        Fill("#texte", " "),
        Click("main button[value=corriger]"),
    ])
    .error(),
    page(
        Nurse,
        "note-retrait-refuse",
        "/dossiers/{file}/carnet",
        "Dites pourquoi vous la retirez",
    )
    .after(&[
        Click(".m-entry__foot a[href*='/note/']"),
        Click("main button[value=retirer]"),
    ])
    .error(),
    page(Nurse, "note", "/dossiers/{file}/note", "Nature de la note"),
    page(
        Nurse,
        "note-refusee",
        "/dossiers/{file}/note",
        "Rien n’a été envoyé",
    )
    .after(&[SEND])
    .error(),
    page(
        Nurse,
        "note-reponse",
        "/dossiers/{file}/note?reponse={note}",
        "Répondre à une note",
    ),
    page(
        Nurse,
        "alerte",
        "/dossiers/{file}/alerte",
        "Qui doit répondre",
    ),
    page(
        Nurse,
        "alerte-refusee",
        "/dossiers/{file}/alerte",
        "Rien n’a été envoyé",
    )
    .after(&[SEND])
    .error(),
    page(
        Nurse,
        "acces-exceptionnel",
        "/dossiers/{other}/acces-exceptionnel",
        "Ouvrir pour une heure",
    ),
    page(
        Nurse,
        "acces-exceptionnel-refuse",
        "/dossiers/{other}/acces-exceptionnel",
        "Choisissez pourquoi",
    )
    .after(&[SEND])
    .error(),
    page(Nurse, "acces-refuse", "/dossiers/{other}", "dossier").error(),
    page(Nurse, "alertes", "/alertes", "Refuse de manger"),
    page(Nurse, "invitations", "/invitations", "Vous invite"),
    page(
        Nurse,
        "invitation",
        "/invitations/{invitation}",
        "Firmin Lemonnier",
    ),
    page(Nurse, "compte", "/compte", "Mes sessions"),
    page(
        Nurse,
        "compte-refuse",
        "/compte",
        "Ce n’est pas votre mot de passe actuel",
    )
    .after(&[
        Fill("#before", "autre chose"),
        Fill("#next", "douze lettres au moins"),
        Fill("#again", "douze lettres au moins"),
        Click("[action='/compte/mot-de-passe'] button"),
    ])
    .error(),
    page(Nurse, "compte-codes", "/compte", "plus jamais affichés").after(&[
        Fill("#codes-password", PASSWORD),
        Click("[action='/compte/codes'] button"),
    ]),
    page(Nurse, "habilitations", "/habilitations", "Aide à domicile"),
    page(Nurse, "introuvable", "/nulle-part", "Page introuvable").error(),
    page(
        Locked,
        "deverrouiller",
        "/deverrouiller",
        "Session verrouillée",
    ),
    page(
        Locked,
        "deverrouiller-refuse",
        "/deverrouiller",
        "incorrect",
    )
    .after(&[Fill("#password", "autre chose"), SEND])
    .error(),
    page(
        Newcomer,
        "accueil-vide",
        "/",
        "Vous ne suivez encore personne",
    ),
    page(
        Newcomer,
        "patients-vide",
        "/patients",
        "Vous ne suivez encore personne",
    ),
    page(Newcomer, "alertes-vide", "/alertes", "alerte"),
    page(
        Administrator,
        "administration-accueil",
        "/",
        "administre Maillon",
    ),
    page(
        Administrator,
        "administration",
        "/administration",
        "Aucune donnée de patient",
    ),
    page(
        Administrator,
        "administration-comptes",
        "/administration/comptes",
        "Aucune donnée de patient",
    ),
    page(
        Administrator,
        "administration-comptes-gerer",
        "/administration/comptes",
        "Donner un nouveau code",
    )
    .after(&[Click(".m-more summary")]),
    page(
        Administrator,
        "administration-compte-refuse",
        "/administration/comptes/nouveau",
        "Écrivez le nom de la personne",
    )
    .after(&[SEND])
    .error(),
    page(
        Administrator,
        "administration-compte",
        "/administration/comptes/nouveau",
        "Nouveau compte",
    ),
    page(
        Administrator,
        "administration-structures",
        "/administration/structures",
        "Aucune donnée de patient",
    ),
    page(
        Administrator,
        "administration-invitation",
        "/administration/structures",
        "Elle ne sera plus affichée",
    )
    .after(&[Click("main [action$='/inviter'] button")]),
    page(
        Administrator,
        "administration-appairage",
        "/administration/structures",
        "pas encore accepté",
    )
    .after(&[
        Click("main [action$='/inviter'] button"),
        Click("main a[href*='/appairages/']"),
    ]),
    page(
        Administrator,
        "administration-accepter-refuse",
        "/administration/structures/accepter",
        "pas une invitation entière",
    )
    .after(&[SEND])
    .error(),
    page(
        Administrator,
        "administration-accepter",
        "/administration/structures/accepter",
        "Accepter une invitation",
    ),
    page(
        Administrator,
        "administration-journal",
        "/administration/journal",
        "Aucune donnée de patient",
    ),
    page(
        Administrator,
        "habilitations-metier",
        "/habilitations?metier=nurse",
        "Infirmier",
    ),
    // The last of all: they change what the others are about.
    page(
        Nurse,
        "dossier-exceptionnel",
        "/dossiers/{other}/acces-exceptionnel",
        "Accès exceptionnel jusqu’à",
    )
    .after(&[
        Click("#motif-1"),
        Fill(
            "#raison",
            "Appelée par la famille, la référente est absente.",
        ),
        SEND,
    ]),
    page(
        Nurse,
        "dossier-clos",
        "/dossiers/{own}/cercle",
        "il reste lisible, mais on ne peut plus y écrire",
    )
    .after(&[
        Click("#fin option:nth-child(2)"),
        Click("#clore [name=geste][value=clore]"),
        Sees("il reste lisible"),
        Click(".m-tabs li:first-child a"),
        Sees("Fil du dossier"),
    ]),
];

/// Routes that show no page of their own: they take a form, and answer with one of the pages above or lead to it.
const FORMS: &[&str] = &[
    // Reached from the notebook, and from the list of structures.
    "/dossiers/{file}/note/{note}",
    "/dossiers/{file}/documents/{document}/retrait",
    "/administration/appairages/{pairing}",
    "/administration/comptes/acte",
    "/administration/structures/essai",
    "/administration/structures/inviter",
    "/administration/verification",
    "/dossiers/{file}/brouillon",
    "/dossiers/{file}/favori",
    "/dossiers/{file}/alerte/reponse",
    "/compte/mot-de-passe",
    "/compte/codes",
    "/compte/sessions/fin",
    "/compte/situation",
    "/verrouiller",
    "/deconnexion",
];
/// What is no page.
const FILES: &[&str] = &[
    "/assets/",
    "/manifest.webmanifest",
    "/evenements",
    // Lines below a field: proposed.rs looks at them.
    "/patients/lieux",
    "/dossiers/{file}/documents/{document}",
];

#[test]
fn every_route_stands_in_the_list_of_pages_that_the_gates_walk() -> Story {
    let shown = PAGES
        .iter()
        .map(|page| page.at.split('?').next().unwrap_or_default());
    let shown: BTreeSet<_> = shown
        .map(|at| at.replace("{other}", "{file}").replace("{own}", "{file}"))
        .collect();
    let all = closed_routes().into_iter().chain(PUBLIC.iter().copied());
    let forgotten: Vec<_> = all
        .filter(|route| !FORMS.contains(route) && !FILES.contains(route))
        .filter(|route| !shown.contains(*route))
        .collect();
    ensure(forgotten.is_empty(), || {
        format!("in no line of PAGES (tests/tests/browser/shown.rs): {forgotten:?}")
    })?;
    let names: BTreeSet<_> = PAGES.iter().map(|page| page.name).collect();
    ensure(names.len() == PAGES.len(), || {
        "two pages with one name".to_owned()
    })
}
