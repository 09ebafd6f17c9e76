//! What the stories stand on: two territories with pages, the people who work there, one person's file that both share, and what waits.

use std::path::Path;

use tempfile::TempDir;

use crate::{
    daemon::{Daemon, Settings, Trouble, ensure, pair, professional, wait},
    visitor::{File, Page, Visitor},
};

/// Everybody's.
pub const PASSWORD: &str = "trois galets sur la digue";

/// Somebody with an account: login, name, RPPS, profession.
pub type Person = (&'static str, &'static str, &'static str, &'static str);

/// Of the DAC.
pub const NURSE: Person = ("maelle", "Maëlle Quesnel-Duval", "10999001018", "60");
/// Who works with the nurse.
pub const COLLEAGUE: Person = ("ines", "Inès Delahaye", "10999004061", "60");
/// Who invites other territories.
pub const COORDINATOR: Person = ("claire", "Claire Vasseur", "10999003055", "330");
/// Of the CPTS.
pub const DOCTOR: Person = ("etienne", "Étienne Hauchecorne", "10999002040", "10");

/// A person as the form of a new patient asks for them.
pub const ROZENN: [(&str, &str); 7] = [
    ("nom", "Quintric"),
    ("prenoms", "Rozenn Marie"),
    ("naissance", "19/07/1941"),
    ("sexe", "f"),
    ("lieu", "29998"),
    ("nomu", "Le Dantec"),
    ("piece", "CN"),
];
/// Somebody of the other territory.
pub const FIRMIN: [(&str, &str); 7] = [
    ("nom", "Lemonnier"),
    ("prenoms", "Firmin"),
    ("naissance", "02/11/1938"),
    ("sexe", "m"),
    ("lieu", "76998"),
    ("nomu", ""),
    ("piece", "CN"),
];

/// A node with pages, nobody in it.
///
/// # Errors
/// What a node or a page answers instead.
pub fn node(mut settings: Settings, root: &Path) -> Result<Daemon, Trouble> {
    settings.web = Some("127.0.0.1:0".to_owned());
    Daemon::new(root, settings)
}

/// Gives somebody an account; the code of their first sign-in.
///
/// # Errors
/// What a node or a page answers instead.
pub fn account(node: &Daemon, (login, name, rpps, profession): Person) -> Result<String, Trouble> {
    let id = professional(node, name, rpps, profession)?;
    Ok(node.client()?.account_add(login, name, &id)?.code)
}

/// Signs in for the first time, outside of any browser.
///
/// # Errors
/// What a node or a page answers instead.
pub fn first(node: &Daemon, login: &str, code: &str) -> Result<Visitor, Trouble> {
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

/// Somebody with an account who is signed in.
///
/// # Errors
/// What a node or a page answers instead.
pub fn signed_in(node: &Daemon, who: Person) -> Result<Visitor, Trouble> {
    let code = account(node, who)?;
    first(node, who.0, &code)
}

/// Opens a person's file; its address.
///
/// # Errors
/// What a node or a page answers instead.
pub fn open(visitor: &mut Visitor, person: &[(&str, &str)]) -> Result<String, Trouble> {
    let step = [
        ("etape", "ouvrir"),
        ("choix", "nouveau"),
        (
            "motif",
            "Retour à domicile après une fracture du col du fémur.",
        ),
        ("info", "informee"),
        ("tele", "non"),
    ];
    let done = visitor.post("/patients/nouveau", &[&step, person].concat())?;
    let address = done.leads_to().to_owned();
    ensure(address.starts_with("/dossiers/"), || format!("{done:?}"))?;
    Ok(address)
}

/// Asks for a page until it says something.
///
/// # Errors
/// What a node or a page answers instead.
pub fn until_it_says(visitor: &mut Visitor, path: &str, words: &str) -> Result<Page, Trouble> {
    wait::until(words, wait::LONG, || {
        let page = visitor.get(path)?;
        Ok(page.text.contains(words).then_some(page))
    })
}

/// What stands in a page between two texts.
pub fn between<'a>(page: &'a Page, before: &str, after: &str) -> &'a str {
    let rest = page.text.split(before).nth(1).unwrap_or_default();
    rest.split(after).next().unwrap_or_default()
}

/// Two territories that share Rozenn's file, and what happened in it.
#[derive(Debug)]
pub struct Ground {
    /// The nurse's node, and its pages' address.
    pub dac: Daemon,
    /// The doctor's.
    pub cpts: Daemon,
    /// The nurse, signed in.
    pub nurse: Visitor,
    /// The doctor, signed in.
    pub doctor: Visitor,
    /// The shared file's address, the same at both.
    pub file: String,
    _root: TempDir,
}

impl Ground {
    /// Makes both, pairs them, opens the file at the DAC and lets the doctor's territory in.
    ///
    /// # Errors
    /// What a node or a page answers instead.
    pub fn lay() -> Result<Self, Trouble> {
        let root = tempfile::Builder::new()
            .prefix("maillon-ground-")
            .tempdir()
            .map_err(Trouble::io("a temporary folder"))?;
        Self::between(
            node(Settings::dac(), root.path())?,
            node(Settings::cpts(), root.path())?,
            root,
        )
    }

    /// The same between two nodes that run.
    ///
    /// # Errors
    /// What a node or a page answers instead.
    pub fn between(dac: Daemon, cpts: Daemon, root: TempDir) -> Result<Self, Trouble> {
        let mut nurse = signed_in(&dac, NURSE)?;
        let mut doctor = signed_in(&cpts, DOCTOR)?;
        pair(&dac, &cpts)?;
        let file = open(&mut nurse, &ROZENN)?;
        invite(&dac, COORDINATOR, &cpts)?;
        let page = until_it_says(&mut doctor, "/invitations", "Vous invite")?;
        let id = between(&page, "href=\"/invitations/", "\"");
        let fields = [("reponse", "accepter"), ("personne", "nouvelle")];
        doctor.post(&format!("/invitations/{id}"), &fields)?;
        until_it_says(&mut doctor, "/patients", "Rozenn Le Dantec")?;
        until_it_says(&mut nurse, &format!("{file}/equipe"), "Étienne Hauchecorne")?;
        Ok(Self {
            dac,
            cpts,
            nurse,
            doctor,
            file,
            _root: root,
        })
    }

    /// Some days of care: notes of each nature, an answer, alerts in each state; and an invitation that waits at the DAC.
    ///
    /// # Errors
    /// What a node or a page answers instead.
    pub fn live(&mut self) -> Result<Life, Trouble> {
        let note = format!("{}/note", self.file);
        let alert = format!("{}/alerte", self.file);
        for (nature, text) in [
            (
                "observation",
                "A peu mangé à midi.\r\nBoit bien. Tension 128/76.",
            ),
            ("intervention", "Pansement refait, plaie propre."),
            (
                "instruction",
                "Peser chaque lundi à la même heure ; nous appeler au-dessous de 51 kg.",
            ),
            (
                "generale",
                "La fille de Madame passe désormais le mercredi et le dimanche.",
            ),
            (
                "avis",
                "Un passage du kinésithérapeute vous paraît-il utile cette semaine ?",
            ),
        ] {
            let sent = self
                .nurse
                .post(&note, &[("nature", nature), ("texte", text)])?;
            ensure(sent.status == 303, || format!("{nature}: {sent:?}"))?;
        }
        let letter = File {
            name: "synthese.pdf",
            media_type: "application/pdf",
            bytes: b"%PDF-1.7\n1 0 obj\n",
        };
        let fields = [
            ("titre", "Synthèse du mois de novembre"),
            ("type", "60591-5"),
        ];
        let documents = format!("{}/documents", self.file);
        let sent = self.nurse.send(&documents, &fields, letter)?;
        ensure(sent.status == 303, || format!("{sent:?}"))?;
        let notebook = format!("{}/carnet", self.file);
        let page = until_it_says(&mut self.doctor, &notebook, "kinésithérapeute")?;
        let answered = between(&page, "/note?reponse=", "\"").to_owned();
        let fields = [
            ("reponse", answered.as_str()),
            ("nature", "generale"),
            ("texte", "Oui : deux séances, je fais l’ordonnance ce soir."),
        ];
        self.doctor.post(&note, &fields)?;
        for (level, text) in [
            (
                "urgente",
                "Refuse de manger depuis hier soir, et ne reconnaît pas sa fille.",
            ),
            ("importante", "Chute sans gravité dans le couloir ce matin."),
            ("savoir", "Le portage de repas s’arrête vendredi."),
        ] {
            self.nurse
                .post(&alert, &[("gravite", level), ("texte", text)])?;
        }
        let asks = "Tension basse au téléphone, 92/58 : quelqu’un peut-il passer aujourd’hui ?";
        let fields = [("gravite", "urgente"), ("texte", asks)];
        self.doctor.post(&alert, &fields)?;
        until_it_says(&mut self.nurse, "/", "Tension basse")?;
        let page = until_it_says(&mut self.doctor, "/", "Chute sans gravité")?;
        let fallen = page.text.split("m-alerts").nth(1).unwrap_or_default();
        let fallen = fallen
            .split("</article>")
            .find(|one| one.contains("Chute sans gravité"));
        let fallen = fallen.and_then(|one| one.split("name=\"alerte\" value=\"").nth(1));
        let fallen = fallen
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_default();
        let fields = [
            ("alerte", fallen),
            ("reponse", "prise-en-charge"),
            ("retour", "/"),
        ];
        self.doctor.post(&format!("{alert}/reponse"), &fields)?;
        until_it_says(
            &mut self.nurse,
            &self.file,
            "Prise en charge par Étienne Hauchecorne",
        )?;
        // Somebody whom the nurse does not follow, and a question from the other territory.
        let mut coordinator = signed_in(
            &self.dac,
            ("claire.v", "Claire Vasseur-Anquetil", "10999005076", "330"),
        )?;
        let other = open(
            &mut coordinator,
            &[&[("nom", "Ancelin")], &ROZENN[1..5]].concat(),
        )?;
        open(&mut self.doctor, &FIRMIN)?;
        invite(
            &self.cpts,
            ("yann", "Yann Le Goff", "10999006082", "10"),
            &self.dac,
        )?;
        let page = until_it_says(&mut self.nurse, "/invitations", "Vous invite")?;
        // A colleague to add, two who are close, a term that is over, and a file that nobody else has.
        let code = account(&self.dac, COLLEAGUE)?;
        professional(&self.dac, "Gwenaëlle Lemercier", "10999008005", "70")?;
        let team = format!("{}/equipe", self.file);
        for (name, kin, role, phone) in [
            ("Odile Le Dantec", "DAUC", "aidant", "06 39 98 00 12"),
            ("Armel Le Dantec", "SONC", "urgence", "02 61 91 00 13"),
            ("Jean Kermarrec", "NBOR", "confiance", "02 61 91 00 14"),
        ] {
            let fields = [
                ("nom", name),
                ("lien", kin),
                (role, "1"),
                ("telephone", phone),
            ];
            let noted = self.nurse.post(&format!("{team}/proche"), &fields)?;
            ensure(noted.status == 303, || format!("{noted:?}"))?;
        }
        let shown = self.nurse.get(&team)?;
        let term_of = |name: &str| {
            let link = format!("\" aria-label=\"Modifier la participation : {name}\"");
            let before = shown.text.split(&link).next().unwrap_or_default();
            before.rsplit('/').next().unwrap_or_default().to_owned()
        };
        let end = [("geste", "terminer"), ("quand", "maintenant")];
        let neighbour = format!("{team}/participation/{}", term_of("Jean Kermarrec"));
        self.nurse.post(&neighbour, &end)?;
        let search = format!("{team}/professionnel");
        let found = self.nurse.post(&search, &[("q", "lemercier")])?;
        let own = open(
            &mut self.nurse,
            &[
                &[
                    ("nom", "Guillou"),
                    ("prenoms", "Marcelle"),
                    ("naissance", "09/09/1933"),
                ],
                &ROZENN[3..5],
            ]
            .concat(),
        )?;
        Ok(Life {
            own,
            term: term_of("Étienne Hauchecorne"),
            chosen: between(&found, &format!("href=\"{search}/"), "\"").to_owned(),
            code,
            invitation: between(&page, "href=\"/invitations/", "\"").to_owned(),
            answered,
            other,
        })
    }
}

/// What pages are named after.
#[derive(Debug)]
pub struct Life {
    /// The invitation that waits at the DAC.
    pub invitation: String,
    /// The note that the doctor has answered.
    pub answered: String,
    /// With which the nurse's colleague signs in for the first time.
    pub code: String,
    /// A file of the DAC in whose team the nurse is not.
    pub other: String,
    /// A file of the nurse's that no other structure has.
    pub own: String,
    /// Somebody whom the nurse may add, as pages name them.
    pub chosen: String,
    /// The doctor's term in the team.
    pub term: String,
}

/// Invites another territory to the first file of one's own, in the name of somebody who works there.
fn invite(from: &Daemon, (_, name, rpps, profession): Person, to: &Daemon) -> Result<(), Trouble> {
    let mut client = from.client()?;
    let circles = client.circles()?;
    let own = circles.iter().find(|line| line.steward);
    let circle = own
        .ok_or_else(|| Trouble::wrong("no file of their own"))?
        .circle;
    let id = professional(from, name, rpps, profession)?;
    client
        .acting_as(&id)
        .circle_invite(circle, to.node()?)
        .map(drop)
}
