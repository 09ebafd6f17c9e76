//! The persons whom the professionals of the CPTS care for at home.

use maillon_protocol::content::{
    AlertStep::{Acknowledge, Close, TakeCharge},
    NoteKind::{AdviceRequest, General, Instruction, Intervention, Observation},
    Severity::{High, Low, Medium},
    Sex::{Female, Male},
};

use super::{Life, alert, answer, at_home, note, person, reply};
use crate::demo::{
    people::Voice::{Coordinator, Doctor, Geriatrician, Nurse, Physiotherapist, WardNurse},
    story::{ago, at},
    territory::Place::{Dac, Hospital},
};

pub(super) const LIVES: &[Life] = &[
    at_home(
        person("Perrot", "Jean", "", "1938-06-03", Male),
        (Nurse, at(25, 7, 40)),
        "Ulcère de jambe suivi à domicile ; diabète, vit avec sa sœur.",
        &[
            note(at(24, 7, 50), Nurse, Intervention, "Premier pansement : plaie de 4 cm sur 3, fond propre, bords nets. Protocole remis à la sœur."),
            note(at(17, 8, 0), Nurse, Observation, "Plaie de 3,5 cm sur 2,5. Glycémie du matin : 1,32 g/l."),
            note(at(17, 12, 30), Doctor, Instruction, "Continuer le même pansement, un jour sur deux. Me joindre si la glycémie dépasse 2 g/l deux jours de suite."),
            note(at(9, 8, 5), Nurse, Observation, "Plaie de 2,5 cm sur 2. Peu d’écoulement."),
            alert(ago(40), Nurse, High, 2, "Rougeur qui remonte jusqu’au genou depuis hier, 38,6 °C ce matin. La jambe est chaude. Avis médical demandé tout de suite."),
        ],
    )
    .shared_with(&[Dac])
    .with(&[Coordinator]),
    at_home(
        person("Quiniou", "Andrée", "Marchand", "1944-01-19", Female),
        (Doctor, at(23, 18, 10)),
        "Insuffisance cardiaque, deux hospitalisations cette année ; surveillance du poids à domicile.",
        &[
            note(at(22, 8, 20), Nurse, Observation, "Poids de départ : 68,4 kg. Chevilles fines. Elle note son poids dans un cahier."),
            note(at(15, 9, 40), Geriatrician, General, "Consultation faite : traitement inchangé. Poids de référence : 68 kg."),
            note(at(14, 18, 0), Doctor, Instruction, "Au-dessus de 70 kg : alerte le jour même. Pas de sel ajouté ; le pharmacien a vérifié les comprimés effervescents."),
            alert(at(6, 7, 30), Nurse, High, 2, "70,9 kg ce matin, chevilles gonflées, essoufflée à la toilette."),
            answer(at(6, 7, 55), Doctor, TakeCharge, "J’y suis avant 9 h."),
            answer(at(6, 18, 20), Doctor, Close, "Vue à domicile, diurétique augmenté ; l’hôpital garde une place jusqu’à demain soir."),
            note(at(3, 7, 35), Nurse, Observation, "68,6 kg. Respire mieux, dort à plat."),
        ],
    )
    .shared_with(&[Hospital]),
    at_home(
        person("Bernard", "Éric", "", "1968-09-12", Male),
        (Doctor, at(21, 17, 0)),
        "Retour d’accident vasculaire, rééducation de la marche et du bras droit.",
        &[
            note(at(20, 17, 30), Physiotherapist, Observation, "Marche avec canne sur vingt mètres. Le bras ne monte pas au-dessus de l’épaule."),
            note(at(13, 17, 45), Physiotherapist, Intervention, "Sixième séance : quarante mètres sans arrêt. Il tient un verre plein."),
            note(at(4, 18, 0), Doctor, General, "Reprise de la conduite à voir avec un médecin agréé : je lui ai donné la liste."),
        ],
    )
    .with(&[Nurse]),
    at_home(
        person("Kerneis", "Lucienne", "Bozec", "1933-12-24", Female),
        (Nurse, at(20, 7, 30)),
        "Pilulier hebdomadaire et surveillance après deux oublis d’anticoagulant.",
        &[
            note(at(19, 7, 40), Nurse, Intervention, "Pilulier mis en place. Elle sait montrer la case du jour."),
            note(at(12, 7, 40), Nurse, Observation, "Aucun oubli cette semaine."),
            alert(at(3, 9, 10), Physiotherapist, Medium, 24, "Un bleu large à la hanche, elle ne sait plus quand elle est tombée. Elle est sous anticoagulant."),
            answer(at(3, 9, 40), Doctor, Acknowledge, "Merci. Prise de sang demain matin par l’infirmier, je la vois ensuite."),
        ],
    )
    .with(&[Doctor]),
    at_home(
        person("Rolland", "Michel", "", "1951-03-30", Male),
        (Doctor, at(18, 12, 0)),
        "Sortie de chirurgie de la hanche, infirmier et kinésithérapeute à domicile.",
        &[
            note(at(17, 8, 15), Nurse, Intervention, "Pansement refait, cicatrice sèche. Injection du soir expliquée, il préfère que je passe."),
            note(at(16, 17, 10), Physiotherapist, Observation, "Flexion à 70 degrés. Deux béquilles, un étage monté avec la rampe."),
            note(at(8, 8, 10), Nurse, Intervention, "Agrafes retirées. Fin des passages infirmiers."),
        ],
    ),
    at_home(
        person("Le Roux", "Annick", "Tanguy", "1947-10-07", Female),
        (Nurse, at(15, 8, 0)),
        "Soins de confort à domicile, souhait de rester chez elle ; famille présente.",
        &[
            note(at(14, 8, 30), Nurse, General, "Deux passages par jour. Numéro de l’astreinte affiché sur le réfrigérateur."),
            note(at(12, 19, 0), Doctor, Instruction, "Douleur : dose de secours possible toutes les quatre heures, trois fois par jour au plus. Au-delà, m’appeler, la nuit aussi."),
            note(at(5, 20, 15), Nurse, Observation, "Une dose de secours hier, aucune aujourd’hui. Elle a mangé avec ses petits-enfants."),
            note(at(1, 8, 20), Nurse, Observation, "Nuit calme. La famille demande qui appeler dimanche : l’astreinte, confirmé avec eux."),
        ],
    )
    .with(&[Doctor]),
    at_home(
        person("Gourvennec", "Paul", "", "1942-04-04", Male),
        (Doctor, at(14, 18, 30)),
        "Bronchite chronique, oxygène à domicile depuis une semaine.",
        &[
            note(at(13, 8, 50), Nurse, Observation, "Saturation 91 % au repos sous 2 l/min. Il enlève les lunettes pour fumer : danger expliqué, il écoute."),
            note(at(10, 17, 20), Physiotherapist, Intervention, "Désencombrement. Exercices à faire deux fois par jour, feuille laissée."),
            alert(at(2, 18, 30), Nurse, Low, 0, "Le fournisseur d’oxygène change de numéro à partir de lundi : étiquette collée sur l’appareil."),
        ],
    ),
    at_home(
        person("Moal", "Suzanne", "Le Guen", "1935-08-01", Female),
        (Nurse, at(13, 7, 45)),
        "Toilette et bas de contention ; fille à prévenir de tout changement.",
        &[
            note(at(12, 7, 50), Nurse, General, "Clé chez la voisine du rez-de-chaussée. Le chien est gentil."),
            note(at(4, 7, 55), Nurse, Observation, "Peau intacte. Elle réclame du café : permis, un par jour."),
        ],
    ),
    at_home(
        person("Pichon", "Nolwenn", "", "1996-02-28", Female),
        (Doctor, at(12, 19, 0)),
        "Grossesse à risque, repos à domicile, surveillance de la tension.",
        &[
            note(at(11, 9, 0), Nurse, Observation, "Tension 128/82. Pas de sucre ni d’albumine à la bandelette."),
            note(at(7, 9, 10), Nurse, Observation, "Tension 132/84. Un peu d’œdème le soir."),
            note(at(7, 13, 0), Doctor, AdviceRequest, "Faut-il rapprocher les passages ?"),
            reply(at(7, 14, 20), Nurse, "Je peux passer tous les matins à partir de demain."),
        ],
    ),
    at_home(
        person("Derrien", "Francis", "", "1955-11-11", Male),
        (Doctor, at(10, 16, 0)),
        "Lombalgie chronique, arrêt de travail long ; reprise à préparer.",
        &[
            note(at(9, 16, 30), Physiotherapist, Observation, "Distance doigts-sol : 32 cm. Il a peur de se baisser."),
            note(at(2, 16, 40), Physiotherapist, Intervention, "Quatrième séance : 18 cm. Il a jardiné samedi, sans douleur le lendemain."),
        ],
    ),
    at_home(
        person("Cadiou", "Raymonde", "Ropars", "1937-05-13", Female),
        (Nurse, at(8, 8, 0)),
        "Situation devenue trop lourde pour les seuls soins : repas, papiers, solitude. Appui demandé au DAC.",
        &[
            note(at(7, 8, 10), Nurse, Observation, "Trois repas sur sept dans la poubelle. Courrier non ouvert sur la table."),
            note(at(5, 12, 20), Doctor, General, "D’accord avec elle pour demander un appui. Elle préfère une femme."),
        ],
    )
    .inviting(Dac, at(2, 9, 30)),
    at_home(
        person("Le Saux", "Gilbert", "", "1930-07-09", Male),
        (Doctor, at(6, 11, 30)),
        "Sort de gériatrie après une pneumonie ; appétit faible, fils présent le soir.",
        &[
            note(at(5, 15, 0), WardNurse, General, "Mange mieux quand le plateau est petit. Appareil auditif : la pile se change le vendredi."),
            note(at(4, 7, 45), Nurse, Observation, "59,8 kg. Il a fini un bol de soupe. La pile est changée."),
        ],
    )
    .shared_with(&[Hospital]),
];
