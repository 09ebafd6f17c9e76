//! The persons whom the hospital follows, in its ward and after.

use maillon_protocol::content::{
    AlertStep::{Acknowledge, Close, TakeCharge},
    NoteKind::{AdviceRequest, General, Instruction, Intervention, Observation},
    Severity::{High, Low, Medium},
    Sex::{Female, Male},
};

use super::{Life, alert, answer, at_home, note, person, reply};
use crate::demo::{
    people::Voice::{Doctor, Geriatrician, Nurse, WardNurse},
    story::at,
    territory::Place::{Cpts, Dac},
};

pub(super) const LIVES: &[Life] = &[
    at_home(
        person("Bescond", "Jacqueline", "Le Gall", "1939-02-17", Female),
        (Geriatrician, at(26, 11, 0)),
        "Retour à domicile après une pneumonie, perte d’autonomie récente.",
        &[
            note(at(25, 14, 0), WardNurse, General, "Toilette avec aide, mange seule. Peau intacte. Lunettes et dentier dans le sac."),
            note(at(24, 8, 10), Nurse, Observation, "Bien rentrée. Ordonnance reçue, pilulier fait. 37,1 °C."),
            alert(at(14, 8, 0), Nurse, Medium, 24, "Deux jours sans manger vraiment. 37,9 °C, tousse. Reprise de la pneumonie ?"),
            answer(at(14, 9, 15), Geriatrician, TakeCharge, "Place en consultation à 14 h, transport demandé."),
            answer(at(14, 17, 0), Geriatrician, Close, "Radiographie sans nouveau foyer. Antibiotique non repris, boissons enrichies."),
            note(at(6, 8, 5), Nurse, Observation, "Elle finit ses repas. 47,2 kg, soit 800 g de plus."),
        ],
    )
    .shared_with(&[Cpts])
    .with(&[Doctor]),
    at_home(
        person("Treguer", "Alphonse", "", "1932-11-05", Male),
        (Geriatrician, at(22, 10, 20)),
        "Chutes répétées, bilan en hôpital de jour ; domicile à adapter.",
        &[
            note(at(21, 15, 30), Geriatrician, Observation, "Vitamine D effondrée, tension qui chute au lever. Vue à contrôler."),
            note(at(20, 9, 0), Geriatrician, Instruction, "Lever en deux temps, boire avant de se lever. Chaussures fermées."),
            note(at(8, 11, 0), WardNurse, General, "Appel de suivi : pas de chute depuis dix jours."),
        ],
    ),
    at_home(
        person("Simon", "Huguette", "Lagadec", "1941-08-23", Female),
        (WardNurse, at(19, 13, 0)),
        "Sortie prévue dans la semaine ; vit seule, plaie au talon à soigner chaque jour.",
        &[
            note(at(18, 14, 20), WardNurse, Observation, "Escarre du talon : 2 cm, fond rosé. Botte de décharge la nuit."),
            note(at(2, 15, 0), WardNurse, General, "Sortie fixée. Il faut un infirmier tous les matins : la CPTS est invitée auprès d’elle."),
        ],
    )
    .inviting(Cpts, at(1, 9, 0)),
    at_home(
        person("Postic", "Robert", "", "1945-06-30", Male),
        (Geriatrician, at(18, 9, 30)),
        "Troubles de la mémoire : bilan demandé par son médecin.",
        &[
            note(at(17, 16, 0), Geriatrician, Observation, "Score de 21 sur 30. Rappel amélioré par l’indice. Imagerie prévue."),
            note(at(9, 11, 45), Geriatrician, General, "Imagerie sans lésion récente. Nouveau bilan dans six mois."),
        ],
    ),
    at_home(
        person("Le Goff", "Denise", "Kervella", "1928-01-02", Female),
        (WardNurse, at(17, 10, 0)),
        "Séjour pour déshydratation ; entourage à prévenir avant la sortie.",
        &[
            note(at(16, 9, 10), WardNurse, Observation, "Boit si l’on reste auprès d’elle : 1,2 l hier."),
            note(at(12, 10, 30), WardNurse, General, "Rentrée avec sa nièce. Une bouteille graduée lui a été donnée."),
        ],
    )
    .with(&[Geriatrician]),
    at_home(
        person("Cornec", "Jean-Pierre", "", "1949-09-09", Male),
        (Geriatrician, at(15, 14, 15)),
        "Dénutrition après une chirurgie digestive, suivi nutritionnel.",
        &[
            note(at(14, 12, 0), WardNurse, Observation, "54,6 kg. Deux compléments par jour, il préfère au café."),
            note(at(7, 12, 10), WardNurse, Observation, "55,3 kg."),
            alert(at(3, 11, 20), WardNurse, Low, 0, "La livraison des compléments change de jour : le mercredi."),
            answer(at(3, 12, 0), Geriatrician, Acknowledge, "Vu, merci."),
        ],
    ),
    at_home(
        person("Mazé", "Colette", "Guéguen", "1936-03-19", Female),
        (Geriatrician, at(14, 10, 40)),
        "Vit chez son fils ; l’aide en place ne suffit plus. Avis demandé au DAC.",
        &[
            note(at(13, 11, 10), Geriatrician, AdviceRequest, "Quel relais pour le fils, qui travaille de nuit ?"),
            note(at(11, 10, 0), WardNurse, Observation, "Elle marche avec aide, se couche à 18 h par habitude."),
        ],
    )
    .inviting(Dac, at(3, 14, 0)),
    at_home(
        person("Nicolas", "Fernand", "", "1934-12-12", Male),
        (WardNurse, at(12, 9, 20)),
        "Confusion après une infection urinaire, sortie à préparer avec l’épouse.",
        &[
            alert(at(11, 22, 10), WardNurse, High, 2, "Très agité, a retiré sa perfusion, ne reconnaît pas son épouse."),
            answer(at(11, 22, 25), Geriatrician, TakeCharge, "J’arrive."),
            answer(at(10, 7, 30), Geriatrician, Close, "Globe urinaire soulagé. Calme ce matin, petit déjeuner pris."),
            note(at(5, 14, 0), WardNurse, General, "Rentré. L’épouse sait reconnaître les signes, feuille remise."),
        ],
    ),
    at_home(
        person("Sévère", "Madeleine", "", "1930-05-25", Female),
        (Geriatrician, at(11, 15, 0)),
        "Douleurs chroniques, traitement à alléger après deux malaises.",
        &[
            note(at(10, 16, 20), Geriatrician, Intervention, "Trois médicaments arrêtés, liste relue avec elle."),
            reply(at(9, 9, 0), WardNurse, "Elle a bien compris : elle a jeté les anciennes boîtes devant moi."),
            note(at(4, 10, 10), WardNurse, Observation, "Appel : pas de malaise, douleur à 3 sur 10."),
        ],
    ),
    at_home(
        person("Hamon", "Georges", "", "1943-10-15", Male),
        (WardNurse, at(9, 11, 0)),
        "Fracture du bassin, retour prévu avec une aide à la toilette.",
        &[
            note(at(8, 14, 30), WardNurse, Observation, "Premier lever : fauteuil une heure, sans malaise."),
            note(at(2, 14, 0), WardNurse, Observation, "Dix pas avec le déambulateur."),
        ],
    )
    .with(&[Geriatrician]),
    at_home(
        person("Le Berre", "Paulette", "Riou", "1940-07-04", Female),
        (Geriatrician, at(7, 10, 0)),
        "Consultation de chute, première venue.",
        &[note(at(6, 16, 0), Geriatrician, Observation, "Appui sur un pied : trois secondes. Séances d’équilibre proposées, elle réfléchit.")],
    ),
    at_home(
        person("Kervran", "Hippolyte", "", "1931-04-26", Male),
        (WardNurse, at(4, 17, 0)),
        "Entré hier pour une grippe sévère ; son chien est gardé par le voisin.",
        &[
            note(at(3, 8, 30), WardNurse, Observation, "38,2 °C, boit bien. Isolement jusqu’à demain."),
            note(at(1, 9, 15), WardNurse, Observation, "37,2 °C. Il demande quand il rentre."),
        ],
    )
    .with(&[Geriatrician]),
];
