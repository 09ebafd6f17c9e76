//! Acknowledgements, invitations and acceptances.

use maillon_protocol::{
    cbor,
    charter::Subject,
    circle::{Ack, Exception, LogHeight, Reason},
    ids::{KeyId, NodeId},
    invite::{Acceptance, Invitation, InvitationReason},
    sign,
};
use serde_json::{Value, json};

use crate::{
    file::{File, hex},
    forge::{forgeries, weak_keys},
    node::{DAY, NOW, identity, rng},
    world::World,
};

pub(crate) fn ack(world: &World) -> Value {
    let mut file =
        File::new("What a member holds of a circle: COSE_Sign1, external_aad [\"maillon/1 ack\"].");
    let [first, _, third] = &world.nodes;
    let charter = world.charter(4);
    let empty = Ack {
        version: 1,
        circle: charter.circle(),
        node: third.id(),
        incarnation: third.log().incarnation,
        counter: NOW,
        entry: charter.number(),
        entry_hash: charter.head(),
        opened: Vec::new(),
        heights: Vec::new(),
        exceptions: Vec::new(),
        attachments: Vec::new(),
        time_ms: NOW,
    };
    let full = Ack {
        counter: NOW + 1,
        opened: vec![3, 4],
        heights: vec![LogHeight {
            log: first.log(),
            height: 3,
            head: world.log()[2].record.id(),
        }],
        exceptions: [
            Reason::NotGranted,
            Reason::NotOpened,
            Reason::Invalid,
            Reason::KindUnknown,
            Reason::Erased,
            Reason::AfterRemoval,
            Reason::Missing,
        ]
        .map(|reason| Exception {
            log: first.log(),
            from: 3,
            to: 300,
            reason,
        })
        .to_vec(),
        attachments: vec![(first.log(), 3)],
        ..empty.clone()
    };
    for (name, object) in [
        ("nothing held", &empty),
        ("heights, exceptions of every reason, attachments", &full),
    ] {
        let signed = sign::sign(object.clone(), &third.key());
        file.valid(
            name,
            json!({ "object": hex(&signed.bytes) }),
            json!({
                "id": hex(signed.id),
                "node": hex(third.id()),
                "counter": object.counter,
                "logs": object.heights.len(),
            }),
        );
    }
    let given = |object: Vec<u8>| json!({ "object": hex(object) });
    let signed = sign::sign(empty.clone(), &third.key());
    file.forged(forgeries(&signed.bytes, &third.seed, "ack"), given);
    file.forged(
        weak_keys(|key| {
            cbor::encode(&Ack {
                node: NodeId(key),
                ..empty.clone()
            })
        }),
        given,
    );
    let later = Ack {
        version: 2,
        ..empty
    };
    file.invalid(
        "of a later version",
        given(sign::sign(later, &third.key()).bytes),
        "version",
    );
    file.json()
}

pub(crate) fn invitation(world: &World) -> Value {
    let mut file = File::new(
        "An invitation to a circle: COSE_Sign1, external_aad [\"maillon/1 invitation\"]. The identity is sealed by \
         HPKE with the purpose `invitation ` and the nonce in hexadecimal digits; circle, previous entry and epoch are \
         null, the number is 0. `own` is asked, at `now_ms`; `seal_seed` is its private seed.",
    );
    let [first, second, third] = &world.nodes;
    let given = |object: &[u8]| {
        json!({
            "object": hex(object),
            "own": hex(second.id()),
            "seal_seed": hex(second.seal_seed),
            "now_ms": NOW + 1,
        })
    };
    let community = Invitation::make(
        second.id(),
        second.seal().public(),
        Subject::Community,
        InvitationReason::Community,
        None,
        None,
        &first.key(),
        NOW,
        &mut rng(43),
    )
    .expect("a valid key");
    let successor = Invitation::make(
        second.id(),
        second.seal().public(),
        Subject::Patient,
        InvitationReason::Successor,
        Some(&identity()),
        Some(world.predecessor()),
        &first.key(),
        NOW,
        &mut rng(44),
    )
    .expect("a valid key");
    let patient = &world.invitation;
    for (name, made, said) in [
        (
            "to a patient's file",
            patient,
            Some(hex(cbor::encode(&identity()))),
        ),
        ("to a community", &community, None),
        (
            "to go on with a circle in which the asked node is",
            &successor,
            Some(hex(cbor::encode(&identity()))),
        ),
    ] {
        file.valid(
            name,
            given(&made.bytes),
            json!({
                "id": hex(made.id),
                "from": hex(first.id()),
                "identity": said,
                "continues": made.object.continues.map(|old| hex(old.circle)),
            }),
        );
    }

    file.forged(
        forgeries(&community.bytes, &first.seed, "invitation"),
        |object| given(&object),
    );
    let changed = |change: &dyn Fn(&mut Invitation)| {
        let mut object = patient.object.clone();
        change(&mut object);
        given(&sign::sign(object, &first.key()).bytes)
    };
    let at = |now_ms: u64| {
        let mut given = given(&patient.bytes);
        given["now_ms"] = now_ms.into();
        given
    };
    for (name, given, error) in [
        (
            "of a later version",
            changed(&|object| object.version = 2),
            "version",
        ),
        (
            "for another node",
            changed(&|object| object.to = third.id()),
            "addressee",
        ),
        ("at the moment of its end", at(NOW + 7 * DAY), "expired"),
        ("valid for more than eight days", at(NOW - DAY - 1), "life"),
        (
            "sealed to a key that is not held",
            changed(&|object| object.key = KeyId([0; 8])),
            "other-key",
        ),
        (
            "identity moved from another invitation",
            changed(&|object| object.identity = community.object.identity.clone()),
            "seal-open",
        ),
        (
            "one bit of the identity changed",
            changed(&|object| object.identity.ciphertext.0[0] ^= 1),
            "seal-open",
        ),
        (
            "longer than an invitation may be",
            changed(&|object| object.identity.ciphertext.0.resize(32 << 10, 0)),
            "limit",
        ),
    ] {
        file.invalid(name, given, error);
    }
    let mut empty = given(&patient.bytes);
    let community_as_patient = {
        let mut object = community.object.clone();
        object.subject = Subject::Patient;
        sign::sign(object, &first.key()).bytes
    };
    empty["object"] = hex(community_as_patient);
    file.invalid_payload("a patient without an identity", empty, "shape");
    file.json()
}

pub(crate) fn acceptance(world: &World) -> Value {
    let mut file =
        File::new("A person's agreement: COSE_Sign1, external_aad [\"maillon/1 acceptance\"].");
    for (number, made) in world.acceptances.iter().enumerate() {
        file.valid(
            &format!("by node {}", number + 2),
            json!({ "object": hex(&made.bytes) }),
            json!({
                "id": hex(made.id),
                "invitation": hex(made.object.invitation),
                "node": hex(made.object.node),
                "descriptor": hex(made.object.descriptor),
            }),
        );
    }
    let given = |object: Vec<u8>| json!({ "object": hex(object) });
    let second = &world.nodes[1];
    let made = &world.acceptances[0];
    file.forged(forgeries(&made.bytes, &second.seed, "acceptance"), given);
    file.forged(
        weak_keys(|key| {
            cbor::encode(&Acceptance {
                node: NodeId(key),
                ..made.object.clone()
            })
        }),
        given,
    );
    let later = Acceptance {
        version: 2,
        ..made.object.clone()
    };
    file.invalid(
        "of a later version",
        given(sign::sign(later, &second.key()).bytes),
        "version",
    );
    let another = Acceptance {
        version: u64::MAX,
        ..made.object.clone()
    };
    file.invalid(
        "of the last version",
        given(sign::sign(another, &second.key()).bytes),
        "version",
    );
    file.json()
}
