//! What the crate says of a vector: the facts that it gives, or the fixed name of the error.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use maillon_protocol::{
    cbor,
    charter::{Charter, Departure, Entry, EpochSecret, Predecessor, SealedSecret},
    circle::Ack,
    content::{Content, Envelope},
    descriptor::Descriptor,
    identity::{Identity, Replacement, Revocation},
    ids::{Hash, NodeId},
    invite::{Acceptance, Invitation},
    keys::{NodeKey, SealKey},
    record::{
        self, Header,
        log::{LogTip, Place},
    },
    sign::{self, Signed, Verified},
    sync::{Message, Presentation},
};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    attachment, exchange,
    file::{array, bytes, hex, list, number},
    refused::Refused,
};

/// Judges what a vector gives.
pub(crate) fn judge(kind: &str, file: &Value, given: &Value) -> Result<Value, Refused> {
    match kind {
        "descriptor" => descriptor(given),
        "entry" => entry(file, given),
        "record" => record(file, given),
        "epoch" => epoch(file, given),
        "ack" => ack(given),
        "invitation" => invitation(given),
        "acceptance" => acceptance(given),
        "departure" => departure(file, given),
        "replacement" => replacement(given),
        "revocation" => revocation(given),
        "replace" => entry(file, given),
        "content" => content(given),
        "message" => message(given),
        "presentation" => presentation(given),
        "padding" => padding(given),
        "ids" => ids(given),
        "attachment" => attachment::judge(given),
        "pairing" => exchange::judge(given),
        other => panic!("no such kind: {other}"),
    }
}

/// The ‹type› in the contexts of a signed kind: its name.
pub(crate) fn domain(kind: &str) -> &'static str {
    match kind {
        "descriptor" => Descriptor::DOMAIN,
        "entry" => Entry::DOMAIN,
        "record" => Header::DOMAIN,
        "ack" => Ack::DOMAIN,
        "invitation" => Invitation::DOMAIN,
        "acceptance" => Acceptance::DOMAIN,
        "departure" => Departure::DOMAIN,
        "replacement" => Replacement::DOMAIN,
        "revocation" => Revocation::DOMAIN,
        other => panic!("{other} is not signed"),
    }
}

/// The node that a payload names as its signer.
pub(crate) fn signer(kind: &str, payload: &[u8]) -> [u8; 32] {
    fn of<T: Signed>(payload: &[u8]) -> [u8; 32] {
        cbor::decode::<T>(payload).expect("a payload").signer().0
    }
    match kind {
        "descriptor" => of::<Descriptor>(payload),
        "entry" => of::<Entry>(payload),
        "record" => of::<Header>(payload),
        "ack" => of::<Ack>(payload),
        "invitation" => of::<Invitation>(payload),
        "departure" => of::<Departure>(payload),
        "replacement" => of::<Replacement>(payload),
        "revocation" => of::<Revocation>(payload),
        _ => of::<Acceptance>(payload),
    }
}

/// Whether `object` is a rightly signed object of the kind, whatever it says.
pub(crate) fn is_signed(kind: &str, object: Vec<u8>) -> bool {
    match kind {
        "descriptor" => sign::verify::<Descriptor>(object).is_ok(),
        "entry" => sign::verify::<Entry>(object).is_ok(),
        "record" => sign::verify::<Header>(object).is_ok(),
        "ack" => sign::verify::<Ack>(object).is_ok(),
        "invitation" => sign::verify::<Invitation>(object).is_ok(),
        "departure" => sign::verify::<Departure>(object).is_ok(),
        "replacement" => sign::verify::<Replacement>(object).is_ok(),
        "revocation" => sign::verify::<Revocation>(object).is_ok(),
        _ => sign::verify::<Acceptance>(object).is_ok(),
    }
}

fn descriptor(given: &Value) -> Result<Value, Refused> {
    let verified = Descriptor::verify(bytes(&given["object"]))?;
    let object = &verified.object;
    Ok(json!({
        "id": hex(verified.id),
        "node": hex(object.node),
        "counter": object.counter,
        "key_id": hex(object.seal.id),
    }))
}

/// The charter of the file's first `count` entries.
fn charter(file: &Value, count: &Value) -> Charter {
    let entries = &list(&file["shared"], "charter")[..usize::try_from(number(count)).expect("few")];
    let mut entries = entries
        .iter()
        .map(|entry| sign::verify::<Entry>(bytes(entry)).expect("a shared entry"));
    let first = Charter::found(&entries.next().expect("a founding entry")).expect("founds");
    entries.fold(first, |charter, entry| {
        charter.extend(&entry).expect("extends")
    })
}

fn entry(file: &Value, given: &Value) -> Result<Value, Refused> {
    let entry = sign::verify::<Entry>(bytes(&given["object"]))?;
    let charter = match number(&given["charter"]) {
        0 => Charter::found(&entry)?,
        _ => charter(file, &given["charter"]).extend(&entry)?,
    };
    let state = charter.state();
    if given["continues"].is_string() {
        let said: Predecessor = cbor::decode(&bytes(&given["continues"])).expect("a predecessor");
        if state.predecessor != Some(said.commitment(&state.founding)) {
            return Err("state".into());
        }
    }
    let members = state.members.iter().map(|member| hex(member.node));
    Ok(json!({
        "id": hex(entry.id),
        "circle": hex(charter.circle()),
        "number": charter.number(),
        "members": members.collect::<Vec<_>>(),
        "epoch": state.epoch.number,
        "commitment": hex(state.epoch.commitment),
        "closed": state.closed,
        "steward": hex(state.steward),
        "deputies": state.deputies.iter().map(hex).collect::<Vec<_>>(),
        "predecessor": state.predecessor.map(hex),
    }))
}

fn record(file: &Value, given: &Value) -> Result<Value, Refused> {
    let header = sign::verify::<Header>(bytes(&given["object"]))?;
    let charter = charter(file, &given["charter"]);
    let own = NodeId(array(&given["own"]));
    let next = |tip: Option<&LogTip>, header: &Verified<Header>| {
        Ok::<_, Refused>(match LogTip::check(tip, header, &charter, &own)? {
            Place::Next(tip) => tip,
            Place::Held => return Err("held".into()),
            Place::Gap { .. } => return Err("gap".into()),
            Place::AfterRemoval => return Err("after-removal".into()),
            Place::UnknownEntry => return Err("unknown-entry".into()),
        })
    };
    let before = usize::try_from(number(&given["before"])).expect("few");
    let mut tip = None;
    for held in &list(&file["shared"], "log")[..before] {
        let held = sign::verify::<Header>(bytes(held)).expect("a shared header");
        tip = Some(next(tip.as_ref(), &held)?);
    }
    next(tip.as_ref(), &header)?;
    let secret = EpochSecret::from_bytes(array(&given["secret"]));
    let plain = record::open(&header.object, &secret, &bytes(&given["body"]))?;
    let mut salt = Hmac::<Sha256>::new_from_slice(&bytes(&given["fresh"])).expect("any length");
    salt.update(&record::pad(&plain));
    // A reader cannot check the salt, which needs the writer's fresh bytes; the vector tells them.
    if salt.finalize().into_bytes().as_slice() != header.object.salt.as_ref() {
        return Err("salt".into());
    }
    Ok(json!({
        "id": hex(header.id),
        "sequence": header.object.sequence,
        "content": hex(&*plain),
    }))
}

fn epoch(file: &Value, given: &Value) -> Result<Value, Refused> {
    let charter = charter(file, &given["charter"]);
    let copy: SealedSecret = cbor::decode(&bytes(&given["copy"]))?;
    let own = NodeId(array(&given["own"]));
    let key = SealKey::from_seed(&array(&given["seal_seed"]), u64::MAX);
    let secret = charter.open_secret(&copy, own, &[key])?;
    let previous = copy
        .number
        .checked_sub(1)
        .and_then(|number| charter.hash_of(number));
    Ok(json!({
        "number": copy.number,
        "secret": hex(secret.expose()),
        "commitment": hex(secret.commitment(previous, copy.number)),
    }))
}

fn ack(given: &Value) -> Result<Value, Refused> {
    let verified = Ack::verify(bytes(&given["object"]))?;
    let object = &verified.object;
    Ok(json!({
        "id": hex(verified.id),
        "node": hex(object.node),
        "counter": object.counter,
        "logs": object.heights.len(),
    }))
}

fn invitation(given: &Value) -> Result<Value, Refused> {
    let own = NodeId(array(&given["own"]));
    let verified = Invitation::verify(bytes(&given["object"]), own, number(&given["now_ms"]))?;
    let key = SealKey::from_seed(&array(&given["seal_seed"]), u64::MAX);
    let identity = verified.object.identity(&[key])?;
    Ok(json!({
        "id": hex(verified.id),
        "from": hex(verified.object.from),
        "identity": identity.map(|identity| hex(cbor::encode(&identity))),
        "continues": verified.object.continues.map(|old| hex(old.circle)),
    }))
}

fn acceptance(given: &Value) -> Result<Value, Refused> {
    let verified = Acceptance::verify(bytes(&given["object"]))?;
    Ok(json!({
        "id": hex(verified.id),
        "invitation": hex(verified.object.invitation),
        "node": hex(verified.object.node),
        "descriptor": hex(verified.object.descriptor),
    }))
}

fn departure(file: &Value, given: &Value) -> Result<Value, Refused> {
    let verified = Departure::verify(bytes(&given["object"]))?;
    let left = charter(file, &given["charter"]).depart(&verified)?;
    let left = left.expect("nobody has left before");
    Ok(json!({
        "id": hex(verified.id),
        "node": hex(verified.object.node),
        "members": left.members().map(|member| hex(member.node)).collect::<Vec<_>>(),
    }))
}

fn replacement(given: &Value) -> Result<Value, Refused> {
    let verified = Replacement::verify(bytes(&given["object"]))?;
    let stands = Identity {
        node: NodeId(array(&given["stands"]["node"])),
        recovery: Hash(array(&given["stands"]["recovery"])),
        counter: number(&given["stands"]["counter"]),
    };
    let after = stands.after(&verified)?;
    Ok(json!({
        "id": hex(verified.id),
        "node": hex(after.node),
        "recovery": hex(after.recovery),
        "counter": after.counter,
    }))
}

fn revocation(given: &Value) -> Result<Value, Refused> {
    let verified = Revocation::verify(bytes(&given["object"]))?;
    Ok(json!({ "id": hex(verified.id), "node": hex(verified.object.node) }))
}

fn content(given: &Value) -> Result<Value, Refused> {
    let plaintext = bytes(&given["plaintext"]);
    let envelope = Envelope::read(&plaintext)?;
    let content = envelope.content()?;
    let items = |bytes: &[u8]| items(&mut minicbor::Decoder::new(bytes)).expect("read already");
    Ok(json!({
        "known": !matches!(content, Content::Unknown { .. }),
        "items": items(&plaintext),
        "payload": items(&envelope.payload.0),
    }))
}

fn message(given: &Value) -> Result<Value, Refused> {
    let frame = bytes(&given["frame"]);
    let message = Message::decode(&frame)?;
    let items = items(&mut minicbor::Decoder::new(&frame)).expect("read once already");
    Ok(json!({ "name": message.name(), "items": items }))
}

fn presentation(given: &Value) -> Result<Value, Refused> {
    let frame = bytes(&given["frame"]);
    let presentation = Presentation::decode(&frame)?;
    let items = items(&mut minicbor::Decoder::new(&frame)).expect("read once already");
    Ok(json!({ "entries": presentation.entries.len(), "items": items }))
}

/// What any reader of CBOR sees: byte strings as `h'…'`.
pub(crate) fn items(decoder: &mut minicbor::Decoder<'_>) -> Result<Value, minicbor::decode::Error> {
    use minicbor::data::Type;
    Ok(match decoder.datatype()? {
        Type::Bytes => format!("h'{}'", HEXLOWER.encode(decoder.bytes()?)).into(),
        Type::String => decoder.str()?.into(),
        Type::Bool => decoder.bool()?.into(),
        Type::Null => {
            decoder.null()?;
            Value::Null
        }
        Type::Array => {
            let length = decoder.array()?.unwrap_or_default();
            (0..length)
                .map(|_| items(decoder))
                .collect::<Result<_, _>>()?
        }
        _ => decoder.u64()?.into(),
    })
}

fn padding(given: &Value) -> Result<Value, Refused> {
    let padded = bytes(&given["padded"]);
    let content = record::unpad(&padded)?;
    assert_eq!(*record::pad(content), padded, "there is one padding");
    Ok(json!({ "content": hex(content) }))
}

fn ids(given: &Value) -> Result<Value, Refused> {
    if let Some(text) = given["peer_id"].as_str() {
        let node: NodeId = text.parse()?;
        return Ok(json!({ "node": hex(node), "peer_id_bytes": hex(node.peer_id_bytes()) }));
    }
    let node = NodeKey::from_seed(&array(&given["seed"])).id();
    let seal = SealKey::from_seed(&array(&given["seal_seed"]), 0);
    Ok(json!({
        "node": hex(node),
        "peer_id": node.to_string(),
        "seal_public": hex(&seal.public().public),
        "key_id": hex(seal.public().id),
    }))
}
