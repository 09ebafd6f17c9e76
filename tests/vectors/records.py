"""Records: their place in a log, their bodies, and what these say."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from forms import Refused, decode, derive, encode, mac, parse, require, sha256, verify_signature

PAYLOADS = {10: "patient-identity", 11: "consent", 20: "care-team", 21: "participation", 30: "liaison-note",
            40: "alert", 41: "alert-answer", 50: "document", 60: "read-mark",
            70: "membership-request", 71: "request-answer", 80: "erasure", 81: "erasure-answer"}


def signed_header(content):
    payload, name, pending = parse(content, "record")
    verify_signature(payload[2][0], pending)
    return payload, name


def extend(tip, header, name, charter, own):
    """The log's tip (height, head, last entry) with this record, which must be the next one."""
    require(header[0] == 1, "version")
    _, circle, log, sequence, previous, entry, entry_hash, epoch, *_, before = header
    require(circle == charter.circle, "circle")
    require(sequence != 0 and (sequence == 1) == isinstance(previous, list), "opening")
    require((sequence == 1) == (before == 0), "entry-before")
    require(1 <= entry <= len(charter.hashes), "unknown-entry")
    require(charter.hashes[entry - 1] == entry_hash, "entry")
    require(charter.was_member(log[0], entry), "not-member")
    require(charter.epoch_of(entry) == epoch, "epoch")
    cut = charter.cut_of(log, entry)
    if cut is not None:
        require(sequence <= cut[0] and (sequence < cut[0] or name == cut[1]), "after-removal")
    expected = tip[0] + 1 if tip else 1
    require(sequence >= expected, "held")
    require(sequence == expected, "gap")
    require(tip is None or previous == tip[1], "previous")
    require(tip is None or before == tip[2], "entry-before")
    require(tip is None or entry >= tip[2], "entry-decreases")
    return sequence, name, entry


def pad(content):
    least = len(content) + 1
    step = 256 if least <= 4096 else 4096
    return content + b"\x80" + bytes(-least % step)


def unpad(padded):
    content = padded.rstrip(b"\0")
    require(content.endswith(b"\x80"), "padding")
    require(pad(content[:-1]) == padded, "padding")
    return content[:-1]


def open_body(header, secret, body):
    _, circle, log, sequence, _, _, _, epoch, _, salt, body_hash, length, _ = header
    require(len(body) == length and sha256(body) == body_hash, "other-body")
    ciphertext = decode(body, "body", "body-envelope")[2]
    key = derive(secret, ["maillon/1 body", circle, epoch, log, sequence, salt])
    external = encode(["maillon/1 body", circle, log, sequence, epoch])
    aad = encode(["Encrypt0", bytes.fromhex("a1011818"), external])
    try:
        padded = ChaCha20Poly1305(key).decrypt(bytes(4) + sequence.to_bytes(8, "big"), ciphertext, aad)
    except InvalidTag:
        raise Refused("body-open") from None
    return unpad(padded)


def record(content, body, secret, fresh, before, charter, own):
    header, name = signed_header(content)
    tip = None
    for held in before:
        tip = extend(tip, *signed_header(held), charter, own)
    extend(tip, header, name, charter, own)
    plain = open_body(header, secret, body)
    require(mac(fresh, pad(plain)) == header[9], "salt")
    return header, name, plain


def envelope(plain):
    value = decode(plain, "any")
    require(not (isinstance(value, list) and len(value) == 8 and len(value[4]) > 64), "limit")
    decode(plain, "envelope")
    kind, version, *_, payload = value
    known = version == 1 and (kind == 1 or kind in PAYLOADS)
    return known, value, decode(payload, PAYLOADS.get(kind, "any") if known else "any")
