"""Judges the vectors of protocol/vectors without any of Maillon's code: `check.py FOLDER`."""

import json
import pathlib
import sys

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import attachments
import charter
import hybrid
import identities
import pairing
import records
from forms import Refused, decode, encode, parse, require, sha256, verify_signature

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
PEER_ID = bytes.fromhex("002408011220")
MESSAGES = ["hello", "states", "compared", "finished", "mark", "entries", "want", "records", "ack", "invitation",
            "acceptance", "descriptor", "want-chunks", "chunks", "cancelled", "replacement", "revocation"]


def base58(content):
    number, text = int.from_bytes(content, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(content) - len(content.lstrip(b"\0"))) + text


def from_base58(text):
    number = 0
    for character in text:
        require(character in ALPHABET, "peer-id")
        number = number * 58 + ALPHABET.index(character)
    return bytes(len(text) - len(text.lstrip("1"))) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def judge_ids(_, given):
    if "peer_id" in given:
        content = from_base58(given["peer_id"])
        require(len(content) == 38 and content.startswith(PEER_ID), "peer-id")
        return {"node": content[6:].hex(), "peer_id_bytes": content.hex()}
    node = Ed25519PrivateKey.from_private_bytes(unhex(given, "seed")).public_key().public_bytes_raw()
    public = hybrid.Private(unhex(given, "seal_seed")).public
    return {"node": node.hex(), "peer_id": base58(PEER_ID + node), "seal_public": public.hex(),
            "key_id": charter.key_id(public).hex()}


def judge_padding(_, given):
    return {"content": records.unpad(unhex(given, "padded")).hex()}


def judge_descriptor(_, given):
    payload, name = charter.descriptor(unhex(given, "object"))
    return {"id": name.hex(), "node": payload[1].hex(), "counter": payload[2], "key_id": payload[9][0].hex()}


def shared_charter(file, count):
    return charter.Charter(bytes.fromhex(entry) for entry in file["shared"]["charter"][:count])


def judge_entry(file, given):
    entry = charter.signed_entry(unhex(given, "object"))
    chain = shared_charter(file, given["charter"])
    chain.extend(*entry)
    state = chain.state
    if given.get("continues"):
        said = ["maillon/1 predecessor", state[1], *decode(unhex(given, "continues"), "predecessor")]
        require(state[4] == sha256(encode(said)), "state", "continues another circle")
    return {"id": entry[1].hex(), "circle": chain.circle.hex(), "number": len(chain.hashes),
            "members": [member[0].hex() for member in state[5]], "epoch": state[6][0],
            "commitment": state[6][1].hex(), "closed": state[7],
            "steward": state[2].hex(), "deputies": [node.hex() for node in state[3]],
            "predecessor": state[4] and state[4].hex()}


def judge_epoch(file, given):
    chain = shared_charter(file, given["charter"])
    number, secret, commitment = chain.open_copy(unhex(given, "copy"), unhex(given, "own"), unhex(given, "seal_seed"))
    return {"number": number, "secret": secret.hex(), "commitment": commitment.hex()}


def judge_record(file, given):
    chain = shared_charter(file, given["charter"])
    before = [bytes.fromhex(header) for header in file["shared"]["log"][: given["before"]]]
    parts = [unhex(given, field) for field in ("object", "body", "secret", "fresh")]
    header, name, plain = records.record(*parts, before, chain, unhex(given, "own"))
    return {"id": name.hex(), "sequence": header[3], "content": plain.hex()}


def judge_content(_, given):
    known, envelope, payload = records.envelope(unhex(given, "plaintext"))
    return {"known": known, "items": items(envelope), "payload": items(payload)}


def judge_ack(_, given):
    payload, name, pending = parse(unhex(given, "object"), "ack")
    require(payload[0] == 1, "version")
    verify_signature(payload[2], pending)
    return {"id": name.hex(), "node": payload[2].hex(), "counter": payload[4], "logs": len(payload[8])}


def judge_invitation(_, given):
    payload, name = charter.invitation(unhex(given, "object"), unhex(given, "own"), given["now_ms"])
    identity = charter.identity(payload, unhex(given, "seal_seed"))
    return {"id": name.hex(), "from": payload[1].hex(), "identity": identity and identity.hex(),
            "continues": payload[8] and payload[8][0].hex()}


def judge_acceptance(_, given):
    payload, name = charter.acceptance(unhex(given, "object"))
    return {"id": name.hex(), "invitation": payload[1].hex(), "node": payload[2].hex(),
            "descriptor": payload[5].hex()}


def judge_departure(file, given):
    payload, name = charter.departure(unhex(given, "object"))
    left = shared_charter(file, given["charter"]).depart(payload)
    return {"id": name.hex(), "node": payload[2].hex(), "members": [node.hex() for node in left]}


def judge_replacement(_, given):
    payload, name = identities.replacement(unhex(given, "object"))
    stands = given["stands"]
    stands = (unhex(stands, "node"), unhex(stands, "recovery"), stands["counter"])
    node, recovery, counter = identities.after(stands, payload)
    return {"id": name.hex(), "node": node.hex(), "recovery": recovery.hex(), "counter": counter}


def judge_revocation(_, given):
    payload, name = identities.revocation(unhex(given, "object"))
    return {"id": name.hex(), "node": payload[1].hex()}


def judge_replace(file, given):
    return judge_entry(file, given)


def judge_message(_, given):
    message = decode(unhex(given, "frame"), "message")
    return {"name": MESSAGES[message[0]], "items": items(message)}


def judge_presentation(_, given):
    said = decode(unhex(given, "frame"), "presentation")
    return {"entries": len(said[0]), "items": items(said)}


def items(value):
    if isinstance(value, list):
        return [items(item) for item in value]
    return f"h'{value.hex()}'" if isinstance(value, bytes) else value


def judge_attachment(_, given):
    return attachments.judge(given)


def judge_pairing(_, given):
    return pairing.exchange(given)


def unhex(given, field):
    return bytes.fromhex(given[field])


def wrong(kind, file, vector, valid):
    """What is wrong with the judgement of a vector; nothing, or a line."""
    try:
        gives = globals()[f"judge_{kind}"](file, vector["given"])
    except Refused as refused:
        if valid:
            return f"refused: {refused}"
        return None if refused.name == vector["error"] else f"refused as {refused}, not as {vector['error']}"
    if not valid:
        return f"taken, and should be refused as {vector['error']}"
    return None if gives == vector["gives"] else f"gives {gives}, not {vector['gives']}"


def main(folder):
    passed = failed = skipped = 0
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        file = json.loads(path.read_text())
        for valid in (True, False):
            for vector in file["valid" if valid else "invalid"]:
                try:
                    complaint = wrong(path.stem, file, vector, valid)
                except UnsupportedAlgorithm as error:
                    skipped += 1
                    print(f"--  {path.stem}, {vector['name']}: this build of cryptography has no ML-KEM ({error})")
                    continue
                except Exception as error:  # a judge that stumbles is a failure of that vector, not of all
                    complaint = f"{type(error).__name__}: {error}"
                passed, failed = passed + (complaint is None), failed + (complaint is not None)
                if complaint:
                    print(f"FAIL {path.stem}, {vector['name']}: {complaint[:300]}")
    if not passed:
        print(f"no vector in {folder} passed")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
