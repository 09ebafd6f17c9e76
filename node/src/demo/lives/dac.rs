//! The persons for whom the DAC coordinates care.

use maillon_protocol::content::{
    AlertStep::{Acknowledge, Close, TakeCharge},
    NoteKind::{AdviceRequest, General, Instruction, Intervention, Observation},
    Severity::{High, Low, Medium},
    Sex::{Female, Male},
};

use super::{Life, alert, answer, at_home, note, person, reply};
use crate::demo::{
    people::Voice::{Coordinator, Doctor, Geriatrician, Nurse, Physiotherapist, SocialWorker},
    story::{ago, at},
    territory::Place::{Cpts, Hospital},
};

pub(super) const LIVES: &[Life] = &[
    at_home(
        person("Kerbrat", "Yvonne", "Le Moal", "1936-04-11", Female),
        (Coordinator, at(26, 13, 20)),
        "Aidante épuisée : Mme Le Moal s’occupe seule de son mari et n’a pas consulté depuis deux ans. Demande de sa fille.",
        &[
            note(at(25, 9, 0), Coordinator, General, "Visite à domicile avec la fille. Madame accepte un passage infirmier et une journée de répit par semaine."),
            note(at(22, 16, 30), Doctor, Observation, "Première consultation depuis deux ans. Hypertension ancienne, non traitée : 168/92. Bilan demandé."),
            note(at(18, 7, 50), Nurse, Observation, "Prise de sang faite. Tension 158/88. Madame dort quatre heures par nuit."),
            note(at(12, 14, 10), SocialWorker, Intervention, "Accueil de jour accordé pour Monsieur, le mardi et le vendredi, transport compris."),
            alert(at(4, 8, 15), Nurse, Medium, 24, "Tension à 182/98 ce matin, au repos, deux mesures. Pas de mal de tête. Un avis médical aujourd’hui ?"),
            answer(at(4, 9, 5), Doctor, TakeCharge, "Je passe à midi."),
            note(at(4, 12, 40), Doctor, Intervention, "Vue à domicile : traitement doublé, contrôle dans trois jours par l’infirmier."),
        ],
    )
    .shared_with(&[Cpts]),
    at_home(
        person("Guivarch", "Armand", "", "1948-12-02", Male),
        (Coordinator, at(24, 10, 0)),
        "Sortie d’hospitalisation prévue dans un logement au troisième étage sans ascenseur ; vit seul.",
        &[
            note(at(23, 11, 15), Geriatrician, General, "Marche avec déambulateur sur le plat, escaliers impossibles avant un mois. Sortie retardée si le logement n’est pas adapté."),
            note(at(20, 15, 0), SocialWorker, Intervention, "Place trouvée en hébergement temporaire pour un mois, à partir de la semaine prochaine."),
            reply(at(20, 16, 20), Geriatrician, "Très bien pour nous. Le compte rendu partira la veille de la sortie."),
            note(at(9, 9, 30), Coordinator, General, "Installé en hébergement temporaire. Il demande à retrouver son chat : la voisine le garde."),
        ],
    )
    .shared_with(&[Hospital]),
    at_home(
        person("Tanneau", "Odile", "Riou", "1953-01-30", Female),
        (SocialWorker, at(27, 9, 40)),
        "Rupture de droits : complémentaire santé arrêtée en septembre, soins dentaires repoussés.",
        &[
            note(at(21, 10, 10), SocialWorker, Intervention, "Dossier de complémentaire santé solidaire déposé avec elle."),
            note(at(6, 14, 45), SocialWorker, General, "Droits ouverts depuis hier. Rendez-vous dentaire à prendre avec elle."),
        ],
    ),
    at_home(
        person("Lozachmeur", "Gaël", "", "1991-06-18", Male),
        (Coordinator, at(22, 14, 0)),
        "Traumatisme crânien il y a un an ; le retour au travail échoue. Orientation à construire avec lui.",
        &[
            note(at(19, 15, 30), Coordinator, Observation, "Fatigue importante l’après-midi. Il oublie les rendez-vous qui ne sont pas confirmés le jour même."),
            note(at(15, 9, 0), Coordinator, Instruction, "Lui envoyer un message le matin de chaque rendez-vous. Pas de rendez-vous après 15 h."),
            note(at(8, 11, 10), SocialWorker, General, "Dossier MDPH complet, envoyé en recommandé. Réponse sous quatre mois."),
        ],
    )
    .with(&[SocialWorker]),
    at_home(
        person("Abgrall", "Simone", "Cozic", "1931-09-05", Female),
        (Coordinator, at(20, 8, 50)),
        "Refus de soins répétés et logement encombré, signalés par la mairie.",
        &[
            note(at(19, 10, 30), Coordinator, Observation, "Elle ouvre la porte à la troisième visite. Chauffage en panne dans deux pièces sur trois."),
            note(at(13, 14, 0), SocialWorker, Intervention, "Chaudière réparée, prise en charge par la caisse de retraite. Elle accepte une aide au rangement, une heure par semaine."),
            alert(at(2, 15, 20), SocialWorker, Low, 0, "L’aide au rangement s’arrête pendant deux semaines : congés. Prévoir un passage de l’un de nous."),
            answer(at(2, 16, 0), Coordinator, Acknowledge, "Noté, je passe jeudi."),
        ],
    ),
    at_home(
        person("Le Bihan", "Marcel", "", "1940-02-14", Male),
        (Coordinator, at(18, 9, 15)),
        "Maladie de Parkinson : chutes au lever, épouse âgée, demande de matériel.",
        &[
            note(at(17, 10, 40), Coordinator, General, "Lit médicalisé et barre d’appui demandés. Le kinésithérapeute passe déjà deux fois par semaine."),
            note(at(11, 16, 0), Coordinator, Intervention, "Lit livré et installé. L’épouse a essayé la commande : elle sait s’en servir."),
            note(at(5, 9, 20), Coordinator, Observation, "Aucune chute depuis l’installation du lit."),
        ],
    ),
    at_home(
        person("Salaün", "Josiane", "Prigent", "1946-07-27", Female),
        (SocialWorker, at(16, 11, 0)),
        "Perte du conjoint en octobre, isolement ; ne conduit plus.",
        &[
            note(at(14, 14, 30), SocialWorker, Intervention, "Inscrite au transport à la demande. Première sortie au marché faite ensemble."),
            note(at(7, 15, 10), SocialWorker, Observation, "Elle a repris contact avec sa sœur. Mange mieux le midi, saute encore le dîner."),
        ],
    ),
    at_home(
        person("Morvan", "Ludovic", "", "1979-11-23", Male),
        (Coordinator, at(15, 15, 45)),
        "Sclérose en plaques : perte de la marche depuis l’été, logement à adapter, deux enfants à la maison.",
        &[
            note(at(14, 9, 30), Coordinator, AdviceRequest, "Qui peut évaluer la salle de bains avant Noël ? L’ergothérapeute du secteur a trois mois d’attente."),
            reply(at(13, 10, 15), SocialWorker, "L’équipe mobile de l’association peut venir dans dix jours. Je la contacte."),
            note(at(3, 14, 0), Coordinator, General, "Évaluation faite. Devis en cours pour une douche de plain-pied."),
        ],
    ),
    at_home(
        person("Le Floch", "Thérèse", "Quéméner", "1929-03-08", Female),
        (Coordinator, at(13, 10, 0)),
        "Retour à domicile après une fracture du poignet ; fille à l’étranger.",
        &[
            note(at(12, 9, 0), Coordinator, General, "Aide à domicile tous les matins pendant six semaines. La voisine a un double des clés."),
            note(at(6, 10, 10), Physiotherapist, Intervention, "Première séance : mobilité du poignet réduite de moitié, peu de douleur. Deux séances par semaine."),
            alert(ago(95), Coordinator, Medium, 24, "L’aide à domicile n’a pas pu entrer ce matin : porte fermée, personne ne répond. La voisine l’a vue hier soir. Qui peut passer avant midi ?"),
        ],
    )
    .shared_with(&[Cpts]),
    at_home(
        person("Cariou", "Denis", "", "1957-08-16", Male),
        (SocialWorker, at(11, 13, 30)),
        "Sortie de cure ; logement précaire, reprise de contact avec le médecin à organiser.",
        &[
            note(at(10, 9, 45), SocialWorker, General, "Il souhaite être appelé, pas d’appel après 18 h. Rendez-vous pris au centre de soins."),
            note(at(3, 11, 30), SocialWorker, Observation, "Deux semaines sans alcool, dit-il avec fierté. Dort au foyer."),
        ],
    ),
    at_home(
        person("Hascoët", "Brigitte", "Kermarrec", "1950-05-21", Female),
        (Coordinator, at(9, 9, 0)),
        "Maladie d’Alzheimer débutante, diagnostic annoncé ce mois-ci ; conjoint demandeur d’explications.",
        &[
            note(at(8, 14, 0), Coordinator, Intervention, "Entretien avec le couple : la notice est remise, la plateforme de répit est contactée."),
            alert(at(5, 10, 0), Coordinator, High, 2, "Monsieur appelle : Madame est sortie sans manteau et ne retrouve pas la maison. Gendarmerie prévenue."),
            answer(at(5, 10, 50), SocialWorker, TakeCharge, "Je suis sur place avec Monsieur."),
            answer(at(5, 12, 5), SocialWorker, Close, "Retrouvée chez une amie, au chaud. Bracelet d’identité commandé."),
        ],
    ),
    at_home(
        person("Jaffré", "Émilienne", "Corre", "1934-10-29", Female),
        (Coordinator, at(27, 15, 0)),
        "Entrée en établissement préparée avec elle et ses fils.",
        &[
            note(at(20, 9, 0), Coordinator, General, "Deux établissements visités, elle préfère celui du bourg."),
            note(at(10, 10, 30), Coordinator, General, "Entrée faite hier, bien vécue. L’établissement prend la suite : je clos le dossier."),
        ],
    )
    .closed(at(10, 10, 45)),
];
