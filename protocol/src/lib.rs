//! What Maillon nodes say to each other: every object, every rule, and no I/O.
//!
//! # Why
//!
//! Structures that care for the same person keep one coordination file together, and none of them hosts it for the
//! others. So every structure runs a node; nodes that share a file (a *circle*) hold all of its records and bring each
//! other up to date whenever two of them meet. There is no server whose word settles a question: who is a member, what
//! was written, by whom and when it arrived must follow from signed bytes alone, in the same way at every node, after
//! any delay, restart or restore. This crate is those rules. It opens no socket, reads no clock and no disk: time,
//! randomness and storage are handed in, so the daemon, the tests and a simulation of hundreds of nodes run the same
//! code.
//!
//! # Layers
//!
//! Each layer knows those above it in this list and none below.
//!
//! | layer | modules | what it settles |
//! |---|---|---|
//! | bytes | [`cbor`], [`ids`], [`time`], [`limits`] | one encoding for each object; names; clocks; what is too much |
//! | keys | [`keys`], [`sign`], [`seal`] | who signed; who can open |
//! | nodes | [`descriptor`], [`identity`], [`pairing`] | what a node says of itself; how its identity is replaced or revoked; how two administrators make their nodes peers |
//! | membership | [`charter`], [`invite`] | who is in a circle, from when to when, with how much of the past |
//! | writing | [`record`], [`content`], [`attachment`] | logs of signed headers with sealed bodies; what a body says; the files that it names |
//! | knowledge | [`circle`], [`dossier`] | what a member holds and acknowledges; versions, conflicts, delivery |
//! | exchange | [`sync`] | one machine for live traffic, reconnection and repair |
//! | node | [`replica`] | all of it over rows: what each command and each arrival makes of what is committed |
//!
//! Two exceptions, both between neighbours: [`charter`] quotes what [`invite`] defines, which names the charter's
//! [`Subject`](charter::Subject); an invitation seals the [`PatientIdentity`](content::PatientIdentity) of [`content`].
//! `protocol/maillon.cddl` is the normative form of the bytes, `protocol/vectors` holds known answers, wrong ones
//! included, which a second implementation in Python judges too.
//!
//! # Example
//!
//! Two nodes in memory. The first founds a circle and admits the second, writes a note, and the second reads it. What
//! [`sync`] would carry between them is carried by hand.
//!
//! ```
//! use maillon_protocol::{charter::*, content::*, descriptor::*, ids::*, invite::*, keys::*, replica::*, *};
//!
//! /// A replica and its rows: here a map, in the daemon a database.
//! struct Node { replica: Replica, rows: Memory }
//!
//! impl Node {
//!     fn new(name: &str, now_ms: u64) -> Result<Self, StorageError> {
//!         let mut rng = rand::rng();
//!         let node = NodeKey::generate(&mut rng);
//!         let receive = SealKey::generate(now_ms + 90 * 24 * 3600 * 1000, &mut rng);
//!         let descriptor = sign::sign(Descriptor {
//!             version: 1, node: node.id(), counter: now_ms, name: name.into(), kind: StructureKind::Other,
//!             finess: String::new(), territory: String::new(), addresses: vec![], suite: seal::SUITE.into(),
//!             seal: receive.public().clone(), protocols: (1, 1), administrator: String::new(), dpo: String::new(),
//!             recovery: Hash([0; 32]),
//!         }, &node);
//!         let rows = Memory::default();
//!         let keys = Keys { node, seals: vec![receive] };
//!         Ok(Self { replica: Replica::load(&rows, keys, descriptor, &mut rng)?, rows })
//!     }
//!
//!     /// Makes what is staged durable, and only then visible.
//!     fn commit(&mut self) -> Published {
//!         self.rows.commit(self.replica.staged());
//!         self.replica.committed()
//!     }
//! }
//!
//! let (mut rng, now_ms) = (rand::rng(), 1_800_000_000_000);
//! let (mut here, mut there) = (Node::new("DAC", now_ms)?, Node::new("CPTS", now_ms)?);
//!
//! // Found, invite, accept, admit.
//! let circle = here.replica.found(Subject::Community, now_ms, &mut rng);
//! here.replica.take_descriptor(&here.rows, there.replica.descriptor())?;
//! here.commit();
//! let invitation = here.replica.invite(
//!     &here.rows, &circle, there.replica.own(), InvitationReason::Community, None, Grant::Whole, now_ms, &mut rng,
//! )?;
//! here.commit();
//! let letter = here.replica.outgoing(&here.rows)?.remove(0).1.invitation;
//! there.replica.take_invitation(&there.rows, here.replica.own(), letter.0, now_ms)?;
//! there.commit();
//! there.replica.accept(&there.rows, &invitation, None, now_ms)?;
//! there.commit();
//! let answer = there.replica.incoming(&there.rows)?.remove(0).1.state;
//! let IncomingState::Accepted { acceptance, .. } = answer else { panic!("accepted above") };
//! here.replica.take_acceptance(&here.rows, there.replica.own(), acceptance.0, now_ms, &mut rng)?;
//! here.commit();
//!
//! // The charter, and the sealed copies beside it.
//! let entries = here.rows.scan(&RowPrefix::Entries(circle, 0))?;
//! let entries = entries.into_iter().map(sign::verify).collect::<Result<Vec<_>, _>>()?;
//! let seals = here.rows.scan(&RowPrefix::Seals(circle, there.replica.own()))?;
//! let seals = seals.iter().map(|copy| cbor::decode(copy)).collect::<Result<Vec<SealedSecret>, _>>()?;
//! there.replica.take_entries(&there.rows, here.replica.own(), circle, entries, &seals, now_ms, &mut rng)?;
//! there.commit();
//!
//! // Write here …
//! let note = LiaisonNote {
//!     note: NoteKind::General, text: "Permanence ouverte.".into(), emergency: false,
//!     written_by: vec![], attachments: vec![], withdrawn: String::new(),
//! };
//! let author = Professional {
//!     name: "Camille Exemple".into(), identifiers: vec![], profession: None,
//!     structure: Structure { name: "DAC".into(), identifiers: vec![] },
//! };
//! here.replica.write(&here.rows, &circle, vec![Draft {
//!     thing: None, parent: None, supersedes: vec![], author, occurred_ms: now_ms,
//!     content: Content::LiaisonNote(note.clone()),
//! }], now_ms, &mut rng)?;
//! let records = here.commit().news.into_iter().find_map(|news| match news.change {
//!     sync::Change::Records(records) => Some(records.to_vec()),
//!     _ => None,
//! }).expect("what was written");
//!
//! // … and read there.
//! let last = records.last().cloned().expect("the note, after the record that opens the log");
//! there.replica.take_records(&there.rows, here.replica.own(), circle, records, now_ms, &mut rng)?;
//! there.commit();
//! let held = there.replica.circle(&circle).expect("admitted");
//! let secret = held.secret_of(&last.header.object).expect("granted");
//! let plain = record::open(&last.header.object, secret, last.body.as_deref().unwrap_or_default())?;
//! assert_eq!(Envelope::read(&plain)?.content()?, Content::LiaisonNote(note));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Contexts
//!
//! Every signature, id, key and seal has a context of its own, so that nothing made for one use passes in another. All
//! lists below are deterministic CBOR; `‖` means that bytes follow bytes, 0 is one zero byte. The second column names
//! what cannot be exchanged. This table is complete for what nodes say; what the daemon keeps under its storage key has
//! its own, in its own crate.
//!
//! **Signatures**: COSE_Sign1, EdDSA, protected header `{1: -8}`, nothing unprotected. ‹type› is
//! [`Signed::DOMAIN`](sign::Signed::DOMAIN). The id does not cover the signature.
//!
//! | object | external_aad | id: SHA-256 of … ‖ 0 ‖ Sig_structure | signer |
//! |---|---|---|---|
//! | [`Descriptor`](descriptor::Descriptor) | `["maillon/1 descriptor"]` | `maillon/1 descriptor id` | the node |
//! | [`Entry`](charter::Entry) | `["maillon/1 entry"]` | `maillon/1 entry id`; entry 1's is the circle's name | the steward |
//! | [`Header`](record::Header) | `["maillon/1 record"]` | `maillon/1 record id` | the log's node |
//! | [`Ack`](circle::Ack) | `["maillon/1 ack"]` | `maillon/1 ack id` | the member |
//! | [`Invitation`](invite::Invitation) | `["maillon/1 invitation"]` | `maillon/1 invitation id` | the steward |
//! | [`Acceptance`](invite::Acceptance) | `["maillon/1 acceptance"]` | `maillon/1 acceptance id` | the asked node |
//! | [`Departure`](charter::Departure) | `["maillon/1 departure"]` | `maillon/1 departure id` | the member that leaves |
//! | [`Replacement`](identity::Replacement) | `["maillon/1 replacement"]` | `maillon/1 replacement id` | the recovery key, which is no node |
//! | [`Revocation`](identity::Revocation) | `["maillon/1 revocation"]` | `maillon/1 revocation id` | the node |
//!
//! **Keys and ciphers**
//!
//! | what | how | context |
//! |---|---|---|
//! | key of a body | HKDF-SHA256, no salt, the epoch's secret, 32 bytes | info `["maillon/1 body", circle, epoch, log, sequence, salt]` |
//! | body | COSE_Encrypt0, ChaCha20-Poly1305, protected header `{1: 24}` | nonce: four zero bytes ‖ sequence, 8 bytes, big-endian; external_aad `["maillon/1 body", circle, log, sequence, epoch]` in an Enc_structure `Encrypt0` |
//! | chunk of an attachment | ChaCha20-Poly1305 under the attachment's own random key, 32 bytes, which stands in the record | nonce: three zero bytes ‖ chunk from 0, 8 bytes, big-endian ‖ 01 for the last chunk, 00 for others; aad `["maillon/1 attachment"]` |
//! | salt in a header | HMAC-SHA256 under 32 fresh random bytes, which are forgotten | the padded content |
//! | padding of a body | `80` ‖ zeros | to a multiple of 256 bytes where that is at most 4096, else of 4096 |
//! | copy of an epoch's secret | HPKE base mode, single shot, [`SUITE`](seal::SUITE) (KEM 0x647A, KDF 1, AEAD 3), empty aad, HPKE's own key and nonce | info `["maillon/1 seal", "epoch", circle, number, previous, epoch, sealer, recipient, key id]` |
//! | identity in an invitation | the same | info `["maillon/1 seal", "invitation ‹nonce in hexadecimal›", null, 0, null, null, sealer, recipient, key id]` |
//! | pairing, proof's key | HKDF-SHA256, no salt, the invitation's secret, 32 bytes | info `["maillon/1 pairing", "proof", invitation id, inviter]` |
//! | pairing, proof | HMAC-SHA256 | `["maillon/1 pairing proof", role, inviter, accepter, inviter's descriptor id, accepter's descriptor id, inviter's nonce, accepter's nonce]` |
//! | pairing, confirmation's key | HKDF-SHA256, no salt, the invitation's secret, 32 bytes | info `["maillon/1 pairing", "confirm", transcript]` |
//! | pairing, confirmation | HMAC-SHA256 | `["maillon/1 pairing confirm", role, transcript, seen]` |
//!
//! **Other hashes**: all SHA-256.
//!
//! | what | of |
//! |---|---|
//! | commitment to an epoch's secret | `["maillon/1 epoch", previous entry's hash or null, number, secret]` |
//! | commitment to the circle that another one continues | `["maillon/1 predecessor", the new circle's founding bytes, circle, entry, entry's hash]` |
//! | pairing, commitment | `maillon/1 pairing commitment` ‖ 0 ‖ inviter's nonce |
//! | pairing, transcript | `maillon/1 pairing transcript` ‖ 0 ‖ `[invitation id, inviter, accepter]` ‖ six messages as sent; its first 55 bits are the five words |
//! | pairing, check of the text | `maillon/1 pairing invitation` ‖ 0 ‖ the invitation; the first four bytes; against typing errors only |
//! | id of a receive key | the X-Wing public key; the first eight bytes |
//! | body in a header, recovery key in a descriptor, attachment's ciphertext and plaintext | the bytes alone: they are named by what is signed |
//!
//! # Guarantees
//!
//! - An object has one encoding. Anything else is refused before a signature is looked at, so nobody can make a second
//!   valid form of somebody's object; no byte of a signed object can change.
//! - Signatures are checked strictly: weak keys, weak signatures and second forms of a signature are refused.
//! - Every member can tell which node wrote what, in which place of which log, and that nothing was taken out or slipped
//!   in. A steward cannot show two members different secrets for one epoch: the entry commits to it.
//! - What counts depends on the record, its log and the charter, never on arrival or on clocks. Members that hold the
//!   same entries and records show the same.
//! - Even a cloned or rolled back machine cannot seal two contents under one key.
//! - A node that no charter lists learns nothing of a circle, its existence included; a removed one is sent nothing
//!   once its removal is known, and cannot read what was written by who knew of it.
//! - A stolen identity can neither name another recovery key nor another identity. What a member's new identity is follows from the recovery key that
//!   the charter knew before anything was stolen: not from its steward's word alone.
//! - Sealed copies stay sealed to who records them today and owns a quantum computer later: X-Wing is ML-KEM-768 and
//!   X25519 together.
//! - Everything that comes from outside is bounded ([`limits`]) and gives a typed error, never a panic.
//!
//! # Limits and what is out of scope
//!
//! - A member's administrator can copy whatever that node may read; what a removed node has received stays with it.
//! - Signatures are not post-quantum. The version in each object lets them change.
//! - Who watches the network at both ends sees which structures talk, when and how much. Bodies are padded, attachments
//!   are not. Headers and charters are clear to members and protected on the way by the transport only.
//! - An epoch's secret opens everything of its epoch for as long as it is kept: files are read for years, so there is no
//!   secret that is forgotten after each message.
//! - A circle's steward is one node. While it is away the circle goes on and its membership waits. When it is lost,
//!   its key included, another member continues the circle.
//! - Who holds a structure's recovery key and answers its telephone is that structure.
//! - Version 1 has no record that erases another.
//! - Transport (TLS 1.3 with X25519MLKEM768), storage under seal, rates and the order of dialling are the daemon's.
#![forbid(unsafe_code)]

pub mod admin;
pub mod attachment;
pub mod cbor;
pub mod charter;
pub mod circle;
pub mod content;
pub mod descriptor;
pub mod dossier;
pub mod identity;
pub mod ids;
pub mod invite;
pub mod keys;
pub mod limits;
pub mod pairing;
pub mod record;
pub mod replica;
pub mod seal;
pub mod sign;
pub mod sync;
pub mod time;
