//! Every route, and whom it lets in: what is here stands beside the router, and a route that is not here fails a test.

use maillon_node::care::Level;

/// Places in a row of the matrix, as its page shows them.
pub(super) const IDENTITY: usize = 0;
const SOCIAL: usize = 1;
pub(super) const MESSAGES: usize = 5;
pub(super) const DOCUMENTS: usize = 6;
pub(super) const FILE: usize = 7;

/// A right that is asked for: in which category, how far.
pub(super) type Right = (usize, Level);

const WHO: Right = (IDENTITY, Level::Read);
const READS_MESSAGES: Right = (MESSAGES, Level::Read);
const TELLS: Right = (MESSAGES, Level::Write);
const READS_DOCUMENTS: Right = (DOCUMENTS, Level::Read);
const ADDS: Right = (DOCUMENTS, Level::Write);
const READS_TEAM: Right = (FILE, Level::Read);
const MANAGES: Right = (FILE, Level::Write);
const WRITES_CLOSE: Right = (SOCIAL, Level::Write);

/// Who is let in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Gate {
    /// There is nothing: 404, for everybody.
    Nothing,
    /// Whoever is signed in.
    Anybody,
    /// Whoever acts in a professional's name, with all of these rights.
    Professional(&'static [Right]),
    /// Whoever is in the person's team, with all of these rights.
    Team(&'static [Right]),
    /// The same, and whoever has broken the glass.
    Open(&'static [Right]),
    /// The same, with who the person is and any of these rights.
    OpenWithAny(&'static [Right]),
    /// Whoever administers the node.
    Administrator,
}

/// Somebody, as far as gates ask.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) professional: bool,
    pub(super) administrator: bool,
    pub(super) team: bool,
    pub(super) glass: bool,
    pub(super) rights: [Level; 8],
}

impl Standing {
    pub(super) fn has(&self, (category, level): Right) -> bool {
        self.rights[category] >= level
    }

    /// Whether they open the file, whatever they read in it.
    pub(super) fn opens(&self) -> bool {
        self.professional && (self.team || self.glass)
    }
}

impl Gate {
    /// The status of a refusal; none where they are let in.
    pub(super) fn refuses(self, who: &Standing) -> Option<u16> {
        let all = |rights: &[Right]| rights.iter().all(|right| who.has(*right));
        let lets_in = match self {
            Self::Nothing => return Some(404),
            Self::Anybody => true,
            Self::Professional(rights) => who.professional && all(rights),
            Self::Team(rights) => who.professional && who.team && all(rights),
            Self::Open(rights) => who.opens() && all(rights),
            Self::OpenWithAny(rights) => {
                who.opens() && who.has(WHO) && rights.iter().any(|right| who.has(*right))
            }
            Self::Administrator => who.administrator,
        };
        (!lets_in).then_some(403)
    }
}

/// A route: its address, whom it lets read, whom it lets send.
pub(super) type Route = (&'static str, Gate, Gate);

use Gate::{Administrator, Anybody, Nothing, Open, OpenWithAny, Professional, Team};

/// Every route of those who are signed in.
pub(super) const ROUTES: &[Route] = &[
    ("/", Anybody, Nothing),
    ("/patients", Professional(&[WHO]), Professional(&[WHO])),
    (
        "/patients/nouveau",
        Professional(&[MANAGES, (IDENTITY, Level::Write), TELLS]),
        Professional(&[MANAGES, (IDENTITY, Level::Write), TELLS]),
    ),
    (
        "/patients/lieux",
        Professional(&[MANAGES, (IDENTITY, Level::Write), TELLS]),
        Nothing,
    ),
    (
        "/patients/doutes",
        Professional(&[MANAGES, (IDENTITY, Level::Write), TELLS]),
        Professional(&[MANAGES, (IDENTITY, Level::Write), TELLS]),
    ),
    (
        "/dossiers/{file}",
        OpenWithAny(&[READS_MESSAGES, READS_DOCUMENTS, READS_TEAM]),
        Nothing,
    ),
    (
        "/dossiers/{file}/carnet",
        Open(&[WHO, READS_MESSAGES]),
        Nothing,
    ),
    (
        "/dossiers/{file}/documents",
        Open(&[WHO, READS_DOCUMENTS]),
        Team(&[ADDS]),
    ),
    (
        "/dossiers/{file}/documents/{document}",
        Open(&[WHO, READS_DOCUMENTS]),
        Nothing,
    ),
    (
        "/dossiers/{file}/documents/{document}/retrait",
        Team(&[WHO, ADDS]),
        Team(&[ADDS]),
    ),
    ("/dossiers/{file}/equipe", Open(&[WHO, READS_TEAM]), Nothing),
    (
        "/dossiers/{file}/equipe/professionnel",
        Team(&[WHO, MANAGES]),
        Team(&[WHO, MANAGES]),
    ),
    (
        "/dossiers/{file}/equipe/professionnel/{choisi}",
        Team(&[WHO, MANAGES]),
        Team(&[WHO, MANAGES]),
    ),
    (
        "/dossiers/{file}/equipe/proche",
        Team(&[WHO, READS_TEAM, WRITES_CLOSE]),
        Team(&[WRITES_CLOSE]),
    ),
    (
        "/dossiers/{file}/equipe/participation/{terme}",
        Team(&[WHO, MANAGES]),
        Team(&[MANAGES]),
    ),
    ("/dossiers/{file}/acces", Team(&[WHO, READS_TEAM]), Nothing),
    (
        "/dossiers/{file}/cercle",
        Team(&[WHO, MANAGES]),
        Team(&[WHO, MANAGES]),
    ),
    (
        "/dossiers/{file}/note/{note}",
        Open(&[WHO, TELLS]),
        Open(&[TELLS]),
    ),
    ("/dossiers/{file}/brouillon", Nothing, Open(&[])),
    ("/dossiers/{file}/favori", Anybody, Team(&[])),
    (
        "/dossiers/{file}/acces-exceptionnel",
        Professional(&[WHO]),
        Professional(&[WHO]),
    ),
    (
        "/dossiers/{file}/alerte",
        Open(&[WHO, TELLS]),
        Open(&[TELLS]),
    ),
    ("/dossiers/{file}/alerte/reponse", Anybody, Open(&[TELLS])),
    ("/alertes", Professional(&[]), Nothing),
    ("/evenements", Open(&[]), Nothing),
    ("/invitations", Professional(&[]), Nothing),
    (
        "/invitations/{invitation}",
        Professional(&[WHO, MANAGES]),
        Professional(&[WHO, MANAGES]),
    ),
    ("/dossiers/{file}/note", Open(&[WHO, TELLS]), Open(&[TELLS])),
    ("/compte", Anybody, Nothing),
    ("/compte/mot-de-passe", Anybody, Anybody),
    ("/compte/codes", Anybody, Anybody),
    ("/compte/sessions/fin", Anybody, Anybody),
    ("/compte/situation", Anybody, Anybody),
    ("/habilitations", Anybody, Administrator),
    ("/administration", Administrator, Nothing),
    ("/administration/verification", Administrator, Administrator),
    ("/administration/comptes", Administrator, Nothing),
    (
        "/administration/comptes/nouveau",
        Administrator,
        Administrator,
    ),
    ("/administration/comptes/acte", Administrator, Administrator),
    ("/administration/structures", Administrator, Nothing),
    (
        "/administration/structures/inviter",
        Administrator,
        Administrator,
    ),
    (
        "/administration/structures/accepter",
        Administrator,
        Administrator,
    ),
    (
        "/administration/structures/essai",
        Administrator,
        Administrator,
    ),
    (
        "/administration/appairages/{pairing}",
        Administrator,
        Administrator,
    ),
    ("/administration/journal", Administrator, Nothing),
    ("/verrouiller", Nothing, Anybody),
    ("/deconnexion", Nothing, Anybody),
];
