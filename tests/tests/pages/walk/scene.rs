//! Where the walk takes place: one structure with everybody in it, a file in which something of each kind stands, and what is asked of each route there.

use maillon_node::care::Level;
use maillon_protocol::{
    admin::{Answer, AuditLine, Call},
    ids::CircleId,
};
use maillon_tests::{
    daemon::{Daemon, Trouble},
    ground::between,
    visitor::{File, Page, Visitor},
};
use tempfile::TempDir;

use crate::{
    PASSWORD, ensure,
    files::{OPENS, ROZENN, TERM, nurse, open},
};

/// Words that nobody reads outside of the file, and to which category each belongs.
pub(super) const NOTE: &str = "Plaie au talon gauche, pansement refait.";
pub(super) const TITLE: &str = "Bilan de la mémoire";
/// Who it is about.
pub(super) const NAMES: [&str; 3] = ["Rozenn", "Quintric", "Le Dantec"];

/// A structure with a file.
pub(super) struct Scene {
    pub(super) node: Daemon,
    pub(super) nurse: Visitor,
    /// The file's address.
    pub(super) address: String,
    circle: CircleId,
    note: String,
    document: String,
    alert: String,
    /// The nurse's own term in the team.
    term: String,
    /// A professional who is in no team and has no account; as the page of the team names them.
    spare: String,
    key: String,
}

/// How a route is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Read,
    Send,
}

/// What stands at one moment: who may come in, and the newest line of a person's in the trail.
#[derive(Debug, PartialEq)]
pub(super) struct Kept {
    records: u64,
    entry: u64,
    accounts: String,
    line: Option<u64>,
}

impl Kept {
    /// The same, whoever has read something.
    pub(super) fn without_lines(self) -> Self {
        Self { line: None, ..self }
    }
}

const BYTES: &[u8] = b"%PDF-1.7\n1 0 obj\n";

impl Scene {
    pub(super) fn lay(root: &TempDir) -> Result<Self, Trouble> {
        let (node, mut nurse) = nurse(root)?;
        let address = open(&mut nurse)?;
        let fields = [("nature", "observation"), ("texte", NOTE)];
        nurse.post(&format!("{address}/note"), &fields)?;
        let fields = [("gravite", "urgente"), ("texte", NOTE)];
        nurse.post(&format!("{address}/alerte"), &fields)?;
        let file = File {
            name: "bilan.pdf",
            media_type: "application/pdf",
            bytes: BYTES,
        };
        let fields = [("titre", TITLE), ("type", "60591-5")];
        nurse.send(&format!("{address}/documents"), &fields, file)?;
        let page = nurse.get(&format!("{address}/documents"))?;
        let document = between(&page, &format!("{address}/documents/"), "\"").to_owned();
        let page = nurse.get(&format!("{address}/carnet"))?;
        let note = between(&page, &format!("href=\"{address}/note/"), "\"").to_owned();
        let page = nurse.get(&format!("{address}?fil=alertes"))?;
        let alert = between(&page, "name=\"alerte\" value=\"", "\"").to_owned();
        let page = nurse.get(&format!("{address}/equipe"))?;
        let term = format!("href=\"{address}/equipe/participation/");
        let term = between(&page, &term, "\"").to_owned();
        let circle = node.client()?.circles()?[0].circle;
        let spare = professional(&node, "Nolwenn Abgrall", Some("60"))?;
        let key = key(&mut nurse, &address, "Nolwenn Abgrall")?;
        for id in [&document, &note, &alert, &term, &key] {
            ensure(!id.is_empty(), || page.text.clone())?;
        }
        Ok(Self {
            node,
            nurse,
            address,
            circle,
            note,
            document,
            alert,
            term,
            spare,
            key,
        })
    }

    /// Somebody with an account, signed in; in the team or not.
    pub(super) fn comes(
        &mut self,
        login: &str,
        name: &str,
        profession: Option<&str>,
        team: bool,
    ) -> Result<Visitor, Trouble> {
        let id = professional(&self.node, name, profession)?;
        let made = self.node.client()?.account_add(login, name, &id)?;
        let mut visitor = Visitor::new(&self.node.pages()?);
        let fields = [
            ("login", login),
            ("code", made.code.as_str()),
            ("next", PASSWORD),
            ("again", PASSWORD),
        ];
        visitor.post("/premiere-connexion", &fields)?;
        if team {
            let key = key(&mut self.nurse, &self.address, name)?;
            let at = format!("{}/equipe/professionnel/{key}", self.address);
            let added = self.nurse.post(&at, &TERM)?;
            ensure(added.status == 303, || format!("{added:?}"))?;
        }
        Ok(visitor)
    }

    /// What stands now.
    pub(super) fn kept(&self) -> Result<Kept, Trouble> {
        let mut client = self.node.client()?;
        let circles = client.circles()?;
        let one = circles.iter().find(|one| one.circle == self.circle);
        let one = one.ok_or_else(|| Trouble::wrong("the file is gone"))?;
        let call = Call::AuditList {
            circle: None,
            since_ms: None,
            before: None,
            limit: 20,
        };
        let Answer::Audit(trail) = client.call(call)? else {
            return Err(Trouble::wrong("an answer of another kind"));
        };
        // What the node does by itself goes on meanwhile.
        let persons = |line: &&AuditLine| line.professional.is_some() || line.name.is_none();
        let accounts = client.account_list()?;
        Ok(Kept {
            records: one.records,
            entry: one.entry,
            accounts: format!("{accounts:?}"),
            line: trail.lines.iter().find(persons).map(|line| line.number),
        })
    }

    /// A route's address, with what is there; or with ids that nobody has.
    pub(super) fn at(&self, path: &str, guessed: bool) -> String {
        let id = |id: &str| if guessed { other(id) } else { id.to_owned() };
        let at = match path {
            "/evenements" => format!("/evenements?depuis=0&dossier={}", self.file()),
            path => path.replace("{file}", self.file()),
        };
        at.replace("{note}", &id(&self.note))
            .replace("{document}", &id(&self.document))
            .replace("{choisi}", &id(&self.key))
            .replace("{terme}", &id(&self.term))
            .replace("{invitation}", &"7a".repeat(32))
            .replace("{pairing}", "4be07a19c3d2")
    }

    pub(super) fn file(&self) -> &str {
        self.address.trim_start_matches("/dossiers/")
    }

    /// What is sent to a route: by whoever is to be refused, a form that would do something; by others, one that does no harm.
    fn form(&self, path: &str, refused: bool, guessed: bool) -> Vec<(String, String)> {
        let id = |id: &str| if guessed { other(id) } else { id.to_owned() };
        let (alert, spare) = (id(&self.alert), &self.spare);
        let fields: &[(&str, &str)] = match path {
            "/patients" => &[("q", "le dan 1941"), ("voir", "structure")],
            "/patients/nouveau" => {
                let step = if refused { "ouvrir" } else { "identite" };
                let first = [("etape", step), OPENS[1], OPENS[2], OPENS[3]];
                return owned(&[&first[..], &ROZENN].concat());
            }
            "/patients/doutes" => &[("un", self.file()), ("autre", self.file())],
            "/dossiers/{file}/favori" => &[("favori", "oui")],
            "/dossiers/{file}/equipe/professionnel" => &[("q", "abgrall")],
            "/dossiers/{file}/equipe/professionnel/{choisi}" => &TERM,
            "/dossiers/{file}/equipe/proche" => &[
                ("nom", "Yves Le Dantec"),
                ("aidant", "1"),
                ("telephone", "06 39 98 12 34"),
            ],
            // Nobody ends the term of the referent.
            "/dossiers/{file}/equipe/participation/{terme}" => {
                &[("geste", "terminer"), ("quand", "maintenant")]
            }
            "/dossiers/{file}/cercle" if refused => &[("geste", "clore"), ("raison", "fin")],
            "/dossiers/{file}/note/{note}" => &[("geste", "retirer"), ("motif", "Aucun.")],
            "/dossiers/{file}/documents/{document}/retrait" => &[("motif", "Aucun.")],
            "/dossiers/{file}/brouillon" => &[("forme", "note"), ("texte", "Je")],
            "/dossiers/{file}/acces-exceptionnel" if refused => {
                &[("motif", "danger"), ("raison", "Chute.")]
            }
            "/dossiers/{file}/alerte" => &[("gravite", "savoir"), ("texte", "Vue.")],
            "/dossiers/{file}/alerte/reponse" => &[("alerte", &alert), ("reponse", "vue")],
            "/dossiers/{file}/note" => &[("nature", "generale"), ("texte", "Vue.")],
            "/dossiers/{file}/documents" => &[("titre", "Lettre")],
            "/invitations/{invitation}" => &[("reponse", "decliner")],
            "/compte/sessions/fin" => &[("session", "0")],
            "/compte/situation" => &[("situation", spare)],
            "/habilitations" => &[("metier", "nurse"), ("revision", "0")],
            "/administration/comptes/nouveau" if refused => &[
                ("nom", "Hugo"),
                ("identifiant", "hugo"),
                ("administre", "1"),
            ],
            "/administration/comptes/acte" => &[("compte", spare), ("acte", "fermer")],
            "/administration/appairages/{pairing}" => &[("reponse", "refuser")],
            // Five wrong passwords would end the session.
            "/compte/codes" => &[("password", PASSWORD)],
            _ => &[("password", "essai"), ("before", "essai"), ("next", "a")],
        };
        owned(fields)
    }

    /// Asks a route.
    pub(super) fn ask(
        &self,
        visitor: &mut Visitor,
        path: &str,
        how: How,
        refused: bool,
        guessed: bool,
    ) -> Result<Page, Trouble> {
        let at = self.at(path, guessed);
        if how == How::Read {
            // A stream has no end: that it began is all that is asked.
            return match path {
                "/evenements" if visitor.events(&at).is_ok() => visitor.get("/compte"),
                _ => visitor.get(&at),
            };
        }
        let form = self.form(path, refused, guessed);
        let fields: Vec<_> = form
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        if path == "/dossiers/{file}/documents" {
            let file = File {
                name: "lettre.pdf",
                media_type: "application/pdf",
                bytes: BYTES,
            };
            return visitor.send(&at, &fields, file);
        }
        visitor.post(&at, &fields)
    }
}

/// As the page of the team names a professional.
fn key(nurse: &mut Visitor, address: &str, name: &str) -> Result<String, Trouble> {
    let search = format!("{address}/equipe/professionnel");
    let page = nurse.post(&search, &[("q", name)])?;
    Ok(between(&page, &format!("href=\"{search}/"), "\"").to_owned())
}

fn owned(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let fields = fields.iter();
    fields
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// An id that nobody has.
fn other(id: &str) -> String {
    let begins = if id.starts_with("00") { "11" } else { "00" };
    format!("{begins}{}", id.get(2..).unwrap_or_default())
}

/// A professional of the structure, of whom no number is known.
fn professional(node: &Daemon, name: &str, profession: Option<&str>) -> Result<String, Trouble> {
    let call = Call::ProfessionalAdd {
        name: name.to_owned(),
        rpps: None,
        profession: profession.map(ToOwned::to_owned),
    };
    match node.client()?.call(call)? {
        Answer::Professional(added) => Ok(added.id),
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

/// A reader's own row of the matrix, as its page shows it.
pub(super) fn own_row(visitor: &mut Visitor) -> Result<[Level; 8], Trouble> {
    let page = visitor.get("/habilitations")?;
    let mut rows = page.text.split("<tr role=\"row\">");
    let own = rows
        .find(|row| row.contains("m-tag\">vous"))
        .unwrap_or_default();
    let cells = own.split("<td ").skip(1).map(|cell| {
        let says = |word: &str| cell.contains(&format!("<span>{word}</span>"));
        match (says("écrit"), says("lit")) {
            (true, _) => Level::Write,
            (_, true) => Level::Read,
            _ => Level::Nothing,
        }
    });
    let cells: Vec<_> = cells.collect();
    (cells.try_into()).map_err(|_| Trouble::wrong(format!("no row of their own: {page:?}")))
}
