//! What the node says of itself in English, in French: at one place.

use maillon_protocol::descriptor::StructureKind;

use crate::network::{DialTrouble, Trouble};

/// Of a check that does not hold: what happened, and what to do.
pub(super) fn check(name: &str) -> (&'static str, &'static str) {
    match name {
        "store.every-row-opens" => (
            "Des données enregistrées sont abîmées.",
            "Copiez le dossier de données tel quel, revenez à la dernière bonne copie et contrôlez le disque.",
        ),
        "store.commits" => (
            "Ce qui s’écrit n’arrive pas sur le disque.",
            "Faites de la place, puis redémarrez le nœud s’il ne reprend pas de lui-même.",
        ),
        "store.log-whole" => (
            "La base de données avait perdu ses dernières écritures à un démarrage.",
            "Ce que d’autres structures détiennent revient de lui-même. Contrôlez le disque.",
        ),
        "circle.heights-hold" | "charter.every-entry-here" => (
            "Il manque une partie d’un dossier partagé.",
            "Copiez le dossier de données tel quel et revenez à la dernière bonne copie.",
        ),
        "attachments.missing-ones-named" => (
            "Des fichiers joints manquent sans que le nœud les demande.",
            "Copiez le dossier de données tel quel et revenez à la dernière bonne copie.",
        ),
        "audit.lines-follow" => (
            "Le journal a été modifié ou tronqué.",
            "Quelqu’un a changé la base de données, ou le disque l’a fait. Copiez le dossier de données tel quel avant toute autre chose.",
        ),
        "exchange.nothing-aside" => (
            "Un nœud a signé deux choses qui s’excluent.",
            "Appelez l’administrateur de la structure concernée.",
        ),
        "folder.closed" => (
            "D’autres utilisateurs de cette machine atteignent les données du nœud.",
            "Fermez le dossier de données et le trousseau de clés à tous, sauf au nœud.",
        ),
        "access.habilitations" => (
            "Les habilitations enregistrées sont illisibles.",
            "Personne n’écrit tant que c’est le cas. Revenez à la dernière bonne copie.",
        ),
        "identities.stand" => (
            "Une identité remplacée ou révoquée attend une décision.",
            "Voyez la page «\u{a0}Structures reliées\u{a0}» et appelez la structure.",
        ),
        "clock.agrees" => (
            "Une horloge n’est pas à l’heure.",
            "Réglez celle de la machine désignée, ou appelez son administrateur. Rien n’est perdu pour autant.",
        ),
        "exchange.peers-keep-the-rules" => (
            "Une structure reliée a envoyé ce que ce nœud refuse.",
            "Prévenez son administrateur. Rien n’a été modifié ici.",
        ),
        "relay.takes-this-node" => (
            "Un relais n’accepte pas ce nœud.",
            "Appelez l’administrateur du relais. Les chemins directs ne sont pas concernés.",
        ),
        _ => (
            "Une vérification a échoué.",
            "Le détail technique dit laquelle.",
        ),
    }
}

/// A worker's name, and what it does.
pub(super) fn worker(name: &str) -> (Option<&'static str>, &'static str) {
    let (name, does) = match name {
        "membership" => (
            "Accueil",
            "Laisse entrer les structures reliées, et les appelle.",
        ),
        "urgency" => (
            "Urgences",
            "Appelle plus souvent les structures qu’une alerte attend.",
        ),
        "renewal" => (
            "Reprise",
            "Réécrit ce que les nouveaux membres ne peuvent pas lire.",
        ),
        "erasure" => ("Effacement", "Ôte du disque ce qui a été effacé."),
        "keys" => ("Clés", "Renouvelle la clé de réception avant son terme."),
        "retention" => (
            "Conservation",
            "Laisse partir les dossiers arrivés à leur terme.",
        ),
        "signature" => (
            "Signature du journal",
            "Signe le journal une fois par jour.",
        ),
        "verify" => ("Vérification", "Vérifie tout le nœud une fois par jour."),
        _ => return (None, ""),
    };
    (Some(name), does)
}

/// Of which kind a structure is.
pub(super) const fn kind(kind: StructureKind) -> &'static str {
    match kind {
        StructureKind::Dac => "Dispositif d’appui à la coordination",
        StructureKind::Cpts => "Communauté professionnelle territoriale de santé",
        StructureKind::Esms => "Établissement ou service médico-social",
        StructureKind::Hospital => "Établissement de santé",
        StructureKind::Article51 => "Expérimentation «\u{a0}article 51\u{a0}»",
        StructureKind::Other => "Autre structure de coordination",
    }
}

/// Why a node is not reached.
pub(super) const fn trouble(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Dial(DialTrouble::NoAddress) => "aucune adresse utilisable n’est connue",
        Trouble::Dial(DialTrouble::NothingListens) => "rien ne répond à son adresse",
        Trouble::Dial(DialTrouble::NoAnswer) => "pas de réponse à temps",
        Trouble::Dial(DialTrouble::Unreachable) => "son réseau n’est pas joignable",
        Trouble::Dial(DialTrouble::AnotherNode) => "un autre nœud répond à son adresse",
        Trouble::Dial(DialTrouble::NotAllowed) => "ce nœud n’est pas admis ici",
        Trouble::Dial(DialTrouble::Limit) => "ce nœud-ci a atteint sa limite de connexions",
        Trouble::Dial(DialTrouble::RefusedThere) => "l’autre nœud refuse celui-ci",
        Trouble::Dial(DialTrouble::OtherRelay) => {
            "il n’est joignable que par un relais que ce nœud n’utilise pas"
        }
        Trouble::Dial(DialTrouble::NotAtRelay) => "il n’est pas au relais",
        Trouble::Dial(DialTrouble::RelayFull) => "le relais a atteint une limite",
        Trouble::Dial(DialTrouble::RelayFailed) => "ni chemin direct, ni relais",
        Trouble::Dial(DialTrouble::GivenUp) => "l’essai a été abandonné",
        Trouble::NotSpoken => "l’autre nœud utilise une autre version de Maillon",
        Trouble::Unruly => "l’autre nœud ne suit pas les règles de la liaison",
        Trouble::Silent => "l’autre nœud ne répond plus",
        Trouble::Ended | Trouble::Link(_) => "la liaison s’est terminée",
    }
}

/// What an administrator's line of the trail says; none where it is about somebody's care.
pub(super) fn act(action: &str) -> Option<&'static str> {
    Some(match action {
        "account.add" => "Compte créé",
        "account.begin-again" => "Nouveau code de première connexion",
        "account.close" => "Compte fermé",
        "account.open" => "Compte rouvert",
        "account.first" => "Première connexion, mot de passe choisi",
        "account.password" => "Mot de passe changé",
        "account.codes" => "Nouveaux codes de secours",
        "account.recover" => "Connexion avec un code de secours",
        "session.begin" => "Connexion",
        "session.end" => "Session fermée",
        "session.refused" => "Connexion refusée",
        "session.unlock" => "Session déverrouillée",
        "session.act-as" => "Changement de situation d’exercice",
        "professional.add" => "Professionnel ajouté",
        "habilitation.set" => "Habilitation modifiée",
        "peer.invite" => "Invitation à relier une structure",
        "peer.accept" => "Invitation d’une structure acceptée",
        "peer.confirm" => "Cinq mots confirmés",
        "peer.reject" => "Mise en relation refusée",
        "peer.paired" => "Structure reliée",
        "peer.suspend" => "Liaison suspendue",
        "peer.resume" => "Liaison reprise",
        "peer.end" => "Liaison terminée",
        "peer.replace" => "Nouveau nœud d’une structure reconnu",
        "peer.retry" | "peer.test" => "Nouvel essai de liaison",
        "peer.revoked" | "peer.statement" => "Identité d’un nœud remplacée ou révoquée",
        "keys.rotate" => "Clé de réception renouvelée",
        "keys.revoke" => "Identité de ce nœud révoquée",
        "node.checkpoint" => "Copie du nœud",
        "node.restore" => "Nœud remis en route depuis une copie",
        "node.log-cut" => "Écritures perdues à un démarrage",
        "node.recovery-key" => "Clé de secours du nœud changée",
        "node.replaces" => "Nœud mis à la place d’un autre",
        "worker.set" => "Rythme d’une tâche de fond changé",
        "sync.rebuild" => "Vues reconstruites",
        "audit.sign" => "Journal signé",
        _ => return None,
    })
}
