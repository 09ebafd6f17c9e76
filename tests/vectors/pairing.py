"""A pairing, from the formulas of maillon.cddl."""

import base64
import binascii
import hmac
import unicodedata

from mnemonic import Mnemonic

import charter
from forms import Refused, decode, derive, encode, hash_in, mac, require

INVITER, ACCEPTER = 0, 1
WORDS = Mnemonic("french").wordlist
NUMBER = {"open": 0, "commit": 1, "nonce": 2, "reveal": 3, "accepter-proof": 4, "inviter-proof": 4,
          "inviter-confirm": 6, "accepter-confirm": 6, "inviter-confirm-seen": 6}


def invitation(text):
    text = "".join(text.split()).upper()
    require(text.startswith("MAILLON") and ":" in text, "not-an-invitation")
    version, symbols = text[len("MAILLON"):].split(":", 1)
    require(version.isdigit(), "not-an-invitation")
    require(version == "1", "version")
    require(all(symbol in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" for symbol in symbols), "character")
    require(len(symbols) % 8 in (0, 2, 4, 5, 7), "incomplete")
    try:
        content = base64.b32decode(symbols + "=" * (-len(symbols) % 8))
    except binascii.Error:
        raise Refused("checksum") from None
    require(base64.b32encode(content).decode().rstrip("=") == symbols, "checksum")
    require(len(content) > 4, "incomplete")
    content, check = content[:-4], content[-4:]
    require(hash_in("maillon/1 pairing invitation", content)[:4] == check, "checksum")
    return decode(content, "pairing-invitation", "content")


class Side:
    """What one side knows of the exchange."""

    def __init__(self, pairing, inviter, accepter, nonce):
        self.pairing, self.inviter, self.accepter = pairing, inviter, accepter
        self.secret, self.nonce, self.said = pairing[4], nonce, []

    def proof(self, role, descriptors, nonces):
        key = derive(self.secret, ["maillon/1 pairing", "proof", self.pairing[3], self.inviter])
        return mac(key, encode(["maillon/1 pairing proof", role, self.inviter, self.accepter, *descriptors, *nonces]))

    def transcript(self):
        head = encode([self.pairing[3], self.inviter, self.accepter])
        return hash_in("maillon/1 pairing transcript", head + b"".join(self.said))

    def confirmation(self, role, seen):
        key = derive(self.secret, ["maillon/1 pairing", "confirm", self.transcript()])
        return mac(key, encode(["maillon/1 pairing confirm", role, self.transcript(), seen]))


def words(transcript):
    bits = int.from_bytes(transcript, "big") >> (256 - 55)
    return [unicodedata.normalize("NFD", WORDS[bits >> 11 * (4 - place) & 2047]) for place in range(5)]


def same(code, expected, error):
    require(hmac.compare_digest(code, expected), error)


def described(content, node):
    try:
        payload, name = charter.descriptor(content)
    except Refused as error:
        raise Refused("descriptor", str(error)) from None
    require(payload[1] == node, "other-node")
    return name


def exchange(given):
    asked = invitation(given["text"])
    require(given["now_ms"] < asked[5], "expired")
    described_here = {role: bytes.fromhex(given[role]["descriptor"]) for role in ("inviter", "accepter")}
    nonces = {role: bytes.fromhex(given[role]["nonce"]) for role in ("inviter", "accepter")}
    inviter, accepter = asked[1], charter.descriptor(described_here["accepter"])[0][1]
    ours = Side(asked, inviter, accepter, nonces["inviter"])
    theirs = Side(asked, inviter, accepter, nonces["accepter"])
    heard = {}

    def carry(step, message, sender, receiver):
        sent = encode(message)
        heard[step] = sent.hex()
        received = bytes.fromhex(given["replace"].get(step, sent.hex()))
        if NUMBER[step] < 6:
            sender.said.append(sent)
            receiver.said.append(received)
        value = decode(received, "pairing-message", "message")
        require(value[0] == NUMBER[step], "unexpected")
        return value

    opened = carry("open", [0, 1, asked[3], None, described_here["accepter"]], theirs, ours)
    require(opened[1] == 1, "version")
    require(opened[2] == asked[3], "unknown")
    descriptors = described(described_here["inviter"], inviter), described(opened[4], accepter)
    commitment = hash_in("maillon/1 pairing commitment", ours.nonce)
    commit = carry("commit", [1, described_here["inviter"], commitment], ours, theirs)
    seen_descriptors = described(commit[1], inviter), described(described_here["accepter"], accepter)
    their_nonce = carry("nonce", [2, theirs.nonce], theirs, ours)[1]
    our_nonce = carry("reveal", [3, ours.nonce], ours, theirs)[1]
    same(hash_in("maillon/1 pairing commitment", our_nonce), commit[2], "commitment")
    seen = our_nonce, theirs.nonce
    known = ours.nonce, their_nonce
    proof = carry("accepter-proof", [4, theirs.proof(ACCEPTER, seen_descriptors, seen)], theirs, ours)
    same(proof[1], ours.proof(ACCEPTER, descriptors, known), "proof")
    proof = carry("inviter-proof", [4, ours.proof(INVITER, descriptors, known)], ours, theirs)
    same(proof[1], theirs.proof(INVITER, seen_descriptors, seen), "impostor")

    for step, sender, receiver, role, both in (
        ("inviter-confirm", ours, theirs, INVITER, False),
        ("accepter-confirm", theirs, ours, ACCEPTER, True),
        ("inviter-confirm-seen", ours, theirs, INVITER, True),
    ):
        confirm = carry(step, [6, both, sender.confirmation(role, both)], sender, receiver)
        same(confirm[2], receiver.confirmation(role, confirm[1]), "confirmation")
    return {"messages": heard, "transcript": ours.transcript().hex(), "words": words(ours.transcript())}
