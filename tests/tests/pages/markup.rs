//! Script and markup in every field into which something can be typed: it is shown as it was typed, and does nothing.

use std::{collections::BTreeSet, fs, path::Path};

use maillon_tests::{
    daemon::{Daemon, Trouble},
    ground::between,
    visitor::{File, Page, Visitor},
};

use super::{
    LOGIN, PASSWORD, Story,
    administration::administrator,
    ensure,
    files::{ROZENN, colleague, create, nurse},
    folder,
};

const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
/// What it would be on a page that takes it for its own; names are written in capitals, and with a capital at the beginning.
const MARKUP: [&str; 6] = [
    "<script>alert",
    "<SCRIPT>",
    "<img src=x",
    "<IMG",
    "<Img",
    "<Script",
];

/// A field: the template in which it stands, and its name.
type Field = (String, String);

/// The fields of all templates into which something can be typed.
fn fields_of_templates(folder: &Path, within: &str) -> Result<BTreeSet<Field>, Trouble> {
    let mut found = BTreeSet::new();
    let entries = fs::read_dir(folder).map_err(Trouble::io("the templates"))?;
    for entry in entries.filter_map(Result::ok) {
        let (path, name) = (entry.path(), entry.file_name());
        let name = format!("{within}{}", name.to_string_lossy());
        if path.is_dir() {
            found.extend(fields_of_templates(&path, &format!("{name}/"))?);
        } else if name.ends_with(".html") {
            let text = fs::read_to_string(&path).map_err(Trouble::io(name.clone()))?;
            ensure(!text.contains("|safe") && !text.contains("| safe"), || {
                format!("{name} says of something that it is safe")
            })?;
            let tags = text.split('<').filter(|tag| {
                let typed = !["hidden", "radio", "checkbox", "file"]
                    .iter()
                    .any(|kind| tag.contains(&format!("type=\"{kind}\"")));
                tag.starts_with("textarea") || tag.starts_with("input") && typed
            });
            let fields = tags.filter_map(|tag| tag.split("name=\"").nth(1)?.split('"').next());
            found.extend(fields.map(|field| (name.clone(), field.to_owned())));
        }
    }
    Ok(found)
}

/// Somebody who types markup, and remembers where.
struct Typist {
    visitor: Visitor,
    typed: BTreeSet<Field>,
}

impl Typist {
    fn harmless(&self, page: &Page) -> Story {
        ensure(
            page.status < 500 && !MARKUP.iter().any(|one| page.text.contains(one)),
            || format!("{page:?}"),
        )
    }

    /// Sends a form of a template; what comes back shows no markup.
    fn sends(
        &mut self,
        template: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Page, Trouble> {
        let evil = fields.iter().filter(|(_, value)| value.contains(EVIL));
        let evil = evil.map(|(name, _)| (template.to_owned(), (*name).to_owned()));
        self.typed.extend(evil);
        let page = self.visitor.post(path, fields)?;
        self.harmless(&page)?;
        Ok(page)
    }

    /// Sees a page; no markup is on it.
    fn sees(&mut self, path: &str) -> Result<Page, Trouble> {
        let page = self.visitor.get(path)?;
        ensure(page.status == 200, || format!("{path}: {page:?}"))?;
        self.harmless(&page)?;
        Ok(page)
    }
}

/// Everything before and about accounts.
fn before_files(node: &Daemon, typist: &mut Typist) -> Story {
    let origin = node.pages()?;
    let own = std::mem::replace(&mut typist.visitor, Visitor::new(&origin));
    let code = [
        ("login", EVIL),
        ("code", EVIL),
        ("next", EVIL),
        ("again", EVIL),
    ];
    for path in ["/premiere-connexion", "/secours"] {
        typist.sends("sign_in/code.html", path, &code)?;
    }
    let door = [("login", EVIL), ("password", EVIL), ("retour", EVIL)];
    typist.sends("sign_in/page.html", "/connexion", &door)?;
    typist.sees("/connexion?retour=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E")?;
    let fields = [("login", LOGIN), ("password", PASSWORD)];
    typist.visitor.post("/connexion", &fields)?;
    typist.visitor.post("/verrouiller", &[])?;
    let locked = [("password", EVIL), ("retour", EVIL)];
    typist.sends("sign_in/locked.html", "/deverrouiller", &locked)?;

    typist.visitor = administrator(node)?;
    let new = "/administration/comptes/nouveau";
    let account = [("nom", EVIL), ("identifiant", EVIL), ("administre", "1")];
    let refused = typist.sends("administration/account.html", new, &account)?;
    ensure(refused.status == 422, || format!("{refused:?}"))?;
    let account = [account[0], ("identifiant", "zoe"), account[2]];
    let made = typist.sends("administration/account.html", new, &account)?;
    ensure(made.status == 200, || format!("{made:?}"))?;
    let accept = "/administration/structures/accepter";
    typist.sends("administration/accept.html", accept, &[("texte", EVIL)])?;
    let invited = typist
        .visitor
        .post("/administration/structures/inviter", &[])?;
    let pairing = between(&invited, "href=\"/administration/appairages/", "\"");
    let at = format!("/administration/appairages/{pairing}");
    let words = [("reponse", "confirmer"), ("mots", EVIL)];
    typist.sends("administration/pairing.html", &at, &words)?;
    for path in ["/administration/comptes", "/administration/journal"] {
        typist.sees(path)?;
    }
    typist.visitor = own;
    let password = [("before", EVIL), ("next", EVIL), ("again", EVIL)];
    typist.sends("account/page.html", "/compte/mot-de-passe", &password)?;
    let codes = [("password", EVIL)];
    typist
        .sends("account/page.html", "/compte/codes", &codes)
        .map(drop)
}

/// Opens a file; its address.
fn opens(typist: &mut Typist) -> Result<String, Trouble> {
    let (identity, new) = ("patients/identity.html", "/patients/nouveau");
    let evil = ROZENN.map(|(name, value)| match name {
        "nom" | "prenoms" | "nomu" | "prenomu" => (name, EVIL),
        _ => (name, value),
    });
    typist.sends("patients/page.html", "/patients", &[("q", EVIL)])?;
    let wrong = evil.map(|(name, value)| match name {
        "naissance" | "lieu" | "ins" | "cle" => (name, EVIL),
        _ => (name, value),
    });
    let step = [("etape", "identite")];
    let form = typist.sends(identity, new, &[&step[..], &wrong].concat())?;
    ensure(form.status == 422, || format!("{form:?}"))?;
    let open = [
        ("etape", "ouvrir"),
        ("choix", "nouveau"),
        ("motif", EVIL),
        ("info", ""),
        ("par", EVIL),
        ("vus", EVIL),
    ];
    let form = typist.sends("patients/open.html", new, &[&open[..], &evil].concat())?;
    ensure(form.status == 422, || format!("{form:?}"))?;
    let open = open.map(|(name, value)| match name {
        "info" => (name, "representant"),
        _ => (name, value),
    });
    let done = create(&mut typist.visitor, &evil, &open)?;
    ensure(done.status == 303, || format!("{done:?}"))?;
    Ok(done.leads_to().to_owned())
}

/// Changes who takes part.
fn team(typist: &mut Typist, address: &str) -> Story {
    let search = format!("{address}/equipe/professionnel");
    typist.sends("dossier/team/search.html", &search, &[("q", EVIL)])?;
    let page = typist.sees(&search)?;
    let key = between(&page, &format!("href=\"{search}/"), "\"");
    let chosen = format!("{search}/{key}");
    let term = [("debut", EVIL), ("fin", EVIL), ("motif", EVIL)];
    let form = typist.sends("dossier/team/member.html", &chosen, &term)?;
    ensure(form.status == 422, || format!("{form:?}"))?;
    let close = format!("{address}/equipe/proche");
    let somebody = [("nom", EVIL), ("telephone", EVIL), ("aidant", "1")];
    let form = typist.sends("dossier/team/relative.html", &close, &somebody)?;
    ensure(form.status == 422, || format!("{form:?}"))?;
    let somebody = [somebody[0], ("telephone", "0639981234"), somebody[2]];
    let done = typist.sends("dossier/team/relative.html", &close, &somebody)?;
    ensure(done.status == 303, || format!("{done:?}"))?;
    let page = typist.sees(&format!("{address}/equipe"))?;
    let term = format!("href=\"{address}/equipe/participation/");
    let term = between(&page, &term, "\"");
    let term = format!("{address}/equipe/participation/{term}");
    let end = [("geste", "terminer"), ("quand", "date"), ("jour", EVIL)];
    let form = typist.sends("dossier/team/term.html", &term, &end)?;
    ensure(form.status == 422, || format!("{form:?}"))
}

/// Writes in a file.
fn writes(typist: &mut Typist, address: &str) -> Story {
    let at = |page: &str| format!("{address}/{page}");
    let (note, draft) = (at("note"), at("brouillon"));
    let begun = [("forme", "note"), ("texte", EVIL), ("nature", EVIL)];
    typist.visitor.post(&draft, &begun)?;
    typist.sees(&note)?;
    for (fields, status) in [
        ([("nature", EVIL), ("texte", EVIL)], 422),
        ([("nature", "generale"), ("texte", EVIL)], 303),
    ] {
        let page = typist.sends("dossier/written.html", &note, &fields)?;
        ensure(page.status == status, || format!("{page:?}"))?;
    }
    let page = typist.sees(&at("carnet"))?;
    let own = between(&page, &format!("href=\"{address}/note/"), "\"").to_owned();
    let own = format!("{note}/{own}");
    let correct = [("geste", "corriger"), ("nature", EVIL), ("texte", EVIL)];
    typist.sends("dossier/written.html", &own, &correct)?;
    let reason = [("geste", "retirer"), ("motif", EVIL)];
    let done = typist.sends("dossier/amend.html", &own, &reason)?;
    ensure(done.status == 303, || format!("{done:?}"))?;
    let alert = [("gravite", "urgente"), ("texte", EVIL)];
    let done = typist.sends("dossier/alert.html", &at("alerte"), &alert)?;
    ensure(done.status == 303, || format!("{done:?}"))?;
    let page = typist.sees(&format!("{address}?fil=alertes"))?;
    typist.sees("/")?;
    typist.sees("/alertes")?;
    let alert = between(&page, "name=\"alerte\" value=\"", "\"").to_owned();
    let close = [
        ("alerte", alert.as_str()),
        ("reponse", "close"),
        ("commentaire", EVIL),
        ("retour", EVIL),
    ];
    let done = typist.sends("dossier/journal.html", &at("alerte/reponse"), &close)?;
    ensure(done.status == 303 && done.leads_to() == "/", || {
        format!("{done:?}")
    })?;
    team(typist, address)?;
    let change = [("geste", "clore"), ("raison", EVIL), ("motif", EVIL)];
    typist.sends("dossier/circle.html", &at("cercle"), &change)?;
    let documents = at("documents");
    let untyped = [("titre", EVIL)];
    typist.sends("dossier/documents.html", &documents, &untyped)?;
    let file = File {
        name: "<img src=x onerror=alert(1)>.pdf",
        media_type: "text/html",
        bytes: b"%PDF-1.7\n<script>alert(1)</script>",
    };
    let sent = typist.visitor.send(&documents, &untyped, file)?;
    ensure(sent.status == 303, || format!("{sent:?}"))?;
    let page = typist.sees(&documents)?;
    let own = between(&page, &format!("href=\"{documents}/"), "\"");
    let form = format!("{documents}/{own}/retrait");
    typist.sees(&form)?;
    let done = typist.sends("dossier/withdraw.html", &form, &[("motif", EVIL)])?;
    ensure(done.status == 303, || format!("{done:?}"))
}

#[test]
fn markup_in_any_field_of_any_form_is_shown_as_it_was_typed() -> Story {
    let root = folder()?;
    let (node, nurse) = nurse(&root)?;
    let mut typist = Typist {
        visitor: nurse,
        typed: BTreeSet::new(),
    };
    before_files(&node, &mut typist)?;
    let other = colleague(&node)?;
    let address = opens(&mut typist)?;
    writes(&mut typist, &address)?;
    // Somebody who breaks the glass says why, and the team reads it.
    let nurse = std::mem::replace(&mut typist.visitor, other);
    let glass = format!("{address}/acces-exceptionnel");
    typist.sees(&glass)?;
    for reason in [EVIL, "danger"] {
        let fields = [("motif", reason), ("raison", EVIL)];
        typist.sends("dossier/glass.html", &glass, &fields)?;
    }
    typist.visitor = nurse;
    for page in [
        "",
        "?fil=notes",
        "?fil=alertes",
        "/carnet",
        "/documents",
        "/equipe",
        "/cercle",
        "/note",
        "/alerte",
        "/acces",
    ] {
        typist.sees(&format!("{address}{page}"))?;
    }
    for page in ["/", "/patients", "/patients?voir=structure", "/alertes"] {
        typist.sees(page)?;
    }
    for asked in ["fil", "avant", "ecrit"] {
        let query = format!("{address}?{asked}=%3Cscript%3Ealert(1)");
        let page = typist.visitor.get(&query)?;
        typist.harmless(&page)?;
    }
    // Nothing into which one can type was left out.
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../node/src/web");
    let mut all = fields_of_templates(&templates, "")?;
    // Where two territories are needed (`invitations`).
    all.remove(&("invitations/one.html".to_owned(), "raison".to_owned()));
    ensure(all.len() > 20 && all.is_subset(&typist.typed), || {
        let left: Vec<_> = all.difference(&typist.typed).collect();
        format!("in no form of this story: {left:?}")
    })
}
