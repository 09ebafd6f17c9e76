"""The one encoding: deterministic CBOR, the shapes of maillon.cddl, COSE_Sign1 and COSE_Encrypt0 in one form."""

import hashlib
import hmac
import io
import pathlib

import cbor2
import cwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import curve
from shapes import Shapes

SHAPES = Shapes((pathlib.Path(__file__).parents[2] / "protocol" / "maillon.cddl").read_text())


class Refused(Exception):
    """Why a vector is refused: a name of the list in protocol/vectors/README.md."""

    def __init__(self, name, detail=""):
        super().__init__(f"{name} {detail}".strip())
        self.name = name


def require(holds, name, detail=""):
    if not holds:
        raise Refused(name, detail)


def encode(value):
    return cbor2.dumps(value)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hash_in(domain, content):
    return sha256(domain.encode(), b"\0", content)


def mac(key, content):
    return hmac.new(key, content, hashlib.sha256).digest()


def derive(secret, info):
    return HKDF(hashes.SHA256(), 32, None, encode(info)).derive(secret)


def decode(content, rule, name="payload"):
    """Exactly one item of the rule's shape in its only encoding."""
    stream = io.BytesIO(content)
    try:
        value = cbor2.CBORDecoder(stream).decode()
    except (cbor2.CBORDecodeError, ValueError) as error:
        raise Refused(name, f"not CBOR: {error}") from None
    require(stream.tell() == len(content), name, "bytes follow")
    require(encode(value) == content, name, "not deterministic")
    require(SHAPES.fits(rule, value), name, f"not the shape of {rule}")
    return value


SIGNER = {"descriptor": lambda p: p[1], "entry": lambda p: p[5], "record": lambda p: p[2][0], "ack": lambda p: p[2],
          "invitation": lambda p: p[1], "acceptance": lambda p: p[2],
          "departure": lambda p: p[2], "replacement": lambda p: p[1], "revocation": lambda p: p[1]}
RULE = {"record": "header"}


def parse(content, kind, before=lambda payload: None):
    """Payload, id and what is left to be verified of a signed object. `before` judges fields that the CDDL fixes too."""
    envelope = decode(content, "signed", "envelope")
    payload_bytes, signature = envelope[2], envelope[3]
    payload = decode(payload_bytes, "any")
    require(isinstance(payload, list) and len(payload) > 1, "payload", "no fields")
    require(type(payload[0]) is int, "payload", "version")
    # A later version has a later shape: it is told as such, by whoever knows what it is.
    if payload[0] == 1:
        before(payload)
        rule = RULE.get(kind, kind)
        require(SHAPES.fits(rule, payload), "payload", f"not the shape of {rule}")
    external = encode([f"maillon/1 {kind}"])
    to_sign = encode(["Signature1", bytes.fromhex("a10127"), external, payload_bytes])
    return payload, hash_in(f"maillon/1 {kind} id", to_sign), (content, external, to_sign, signature)


def verify_signature(node, pending):
    content, external, to_sign, signature = pending
    require(curve.decompress(node) is not None, "node-key")
    # Whatever the libraries take, ours refuses keys and R of small order, and encodings that are not canonical.
    require(curve.is_strict(node) and curve.is_strict(signature[:32]), "signature", "weak")
    key = cwt.COSEKey.new({1: 1, 3: -8, -1: 6, -2: node})
    try:
        cwt.COSE.new().decode(cbor2.CBORTag(18, cbor2.loads(content)), key, external_aad=external)
    except (cwt.VerifyError, cwt.DecodeError, ValueError) as error:
        raise Refused("signature", str(error)) from None
    try:
        Ed25519PublicKey.from_public_bytes(node).verify(signature, to_sign)
    except InvalidSignature:
        raise Refused("signature") from None
