"""X-Wing (draft-connolly-cfrg-xwing-kem-06) and HPKE's base mode (RFC 9180), to open what is sealed.

Written from the specifications over ML-KEM-768, X25519 and SHA-3 of `cryptography` and hashlib; where `cryptography`
has HPKE with this KEM itself, that must open the same.
"""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

KEM, KDF, AEAD = 0x647A, 0x0001, 0x0003
SUITE = b"HPKE" + KEM.to_bytes(2, "big") + KDF.to_bytes(2, "big") + AEAD.to_bytes(2, "big")
LABEL = bytes.fromhex("5c2e2f2f5e5c")  # the X-Wing, drawn: \.//^\


class Private:
    """An X-Wing key from its 32-byte seed."""

    def __init__(self, seed):
        expanded = hashlib.shake_256(seed).digest(96)
        self.lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        self.curve = X25519PrivateKey.from_private_bytes(expanded[64:])
        self.curve_public = self.curve.public_key().public_bytes_raw()
        self.public = self.lattice.public_key().public_bytes_raw() + self.curve_public

    def decapsulate(self, encapsulated):
        lattice, curve = encapsulated[:1088], encapsulated[1088:]
        shared = self.lattice.decapsulate(lattice) + self.curve.exchange(X25519PublicKey.from_public_bytes(curve))
        return hashlib.sha3_256(shared + curve + self.curve_public + LABEL).digest()


def extract(salt, label, content):
    return hmac.new(salt or bytes(32), b"HPKE-v1" + SUITE + label + content, hashlib.sha256).digest()


def expand(key, label, info, length):
    content = length.to_bytes(2, "big") + b"HPKE-v1" + SUITE + label + info
    return hmac.new(key, content + b"\1", hashlib.sha256).digest()[:length]


def open_sealed(seed, encapsulated, ciphertext, info):
    """The plaintext, or None."""
    if len(encapsulated) != 1120:
        return None
    private = Private(seed)
    try:
        shared = private.decapsulate(encapsulated)
    except ValueError:
        return None
    context = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared, b"secret", b"")
    key, nonce = expand(secret, b"key", context, 32), expand(secret, b"base_nonce", context, 12)
    try:
        plain = ChaCha20Poly1305(key).decrypt(nonce, ciphertext, b"")
    except InvalidTag:
        plain = None
    second = by_library(private, encapsulated + ciphertext, info)
    assert second is NotImplemented or second == plain, "two implementations of HPKE differ"
    return plain


def by_library(private, sealed, info):
    try:
        from cryptography.hazmat.primitives import hpke

        suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
        key = hpke.MLKEM768X25519PrivateKey(private.lattice, private.curve)
    except (ImportError, AttributeError):
        return NotImplemented
    try:
        return suite.decrypt(sealed, key, info)
    except (InvalidTag, ValueError):
        return None
