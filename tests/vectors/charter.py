"""Descriptors, letters and the charter: what is checked beyond form and signature."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey

import hybrid
import identities
from forms import SHAPES, SIGNER, Refused, decode, encode, parse, require, sha256, verify_signature

SUITE = "x-wing-06/hkdf-sha256/chacha20poly1305"
DAY = 24 * 3600 * 1000


def key_id(public):
    return sha256(public)[:8]


def descriptor(content):
    require(len(content) <= 8192, "limit")
    payload, name, pending = parse(content, "descriptor", sealing_key)
    require(payload[0] == 1, "version")
    verify_signature(payload[1], pending)
    return payload, name


def sealing_key(payload):
    """What a descriptor says of its receive key has errors of its own, not of form."""
    require(payload[8] == SUITE, "suite")
    identifier, public, _ = payload[9]
    require(len(public) == 1216, "receive-key")
    try:
        MLKEM768PublicKey.from_public_bytes(public[:1184])
    except ValueError:
        raise Refused("receive-key") from None
    require(key_id(public) == identifier, "receive-key")


def acceptance(content):
    require(len(content) <= 1024, "limit")
    payload, name, pending = parse(content, "acceptance")
    require(payload[0] == 1, "version")
    verify_signature(payload[2], pending)
    return payload, name


def departure(content):
    require(len(content) <= 4096, "limit")
    payload, name, pending = parse(content, "departure")
    require(payload[0] == 1, "version")
    logs = [cut[0] for cut in payload[5]]
    require(len(set(logs)) == len(logs), "change", "one log twice")
    verify_signature(payload[2], pending)
    return payload, name


def invitation(content, own, now):
    require(len(content) <= 32768, "limit")
    payload, name, pending = parse(content, "invitation")
    require(payload[0] == 1, "version")
    require(payload[2] == own, "addressee")
    require(payload[9] > now, "expired")
    require(payload[9] <= now + 8 * DAY, "life")
    verify_signature(payload[1], pending)
    return payload, name


def identity(payload, seed):
    _, sender, own, nonce, subject, _, key, (encapsulated, ciphertext), _, _ = payload
    require(key_id(hybrid.Private(seed).public) == key, "other-key")
    info = ["maillon/1 seal", "invitation " + nonce.hex(), None, 0, None, None, sender, own, key]
    plain = hybrid.open_sealed(seed, encapsulated, ciphertext, encode(info))
    require(plain is not None, "seal-open")
    if subject == 1:
        require(plain == encode([]), "payload")
        return None
    decode(plain, "patient-identity")
    return plain


def signed_entry(content):
    payload, name, pending = parse(content, "entry")
    verify_signature(SIGNER["entry"](payload), pending)
    return payload, name


class Charter:
    """The chain, worked out from the changes alone and compared with what each entry states."""

    def __init__(self, entries=()):
        self.hashes, self.state, self.circle = [], None, None
        self.epochs, self.terms, self.cuts, self.starts, self.used = {}, {}, {}, {}, set()
        self.stewards, self.recoveries, self.replaced, self.moves = [], {}, set(), {}
        for entry in entries:
            self.extend(*signed_entry(entry))

    def extend(self, entry, name):
        version, circle, number, previous, _, signer, (change, fields), state = entry
        require(version == 1, "version")
        if not self.hashes:
            return self.found(entry, name)
        require(circle == self.circle, "circle")
        require(number == len(self.hashes) + 1, "number")
        require(previous == self.hashes[-1], "previous")
        require(signer == self.state[2], "steward")
        left = change == 3 and fields[1] == 1
        require(not self.state[7] or change in (8, 10) or left, "closed")
        require(number <= (10_000 if change in (3, 5, 6) else 9_900), "limit")
        now = list(self.state)
        if change in (2, 3, 4, 9):
            now[6] = [number, state[6][1]]
            self.epochs[number] = (name, state[6][1], previous)
        if change == 2:
            now[5] = now[5] + [self.admit(number, signer, *fields)]
        elif change == 3:
            self.remove(number, *fields)
            now[5] = [member for member in now[5] if member[0] != fields[0]]
            now[3] = [node for node in now[3] if node != fields[0]]
        elif change == 5:
            now[7] = True
        elif change == 6:
            require(fields[0] != signer and self.is_member(fields[0]), "change", "not another member")
            now[2] = fields[0]
            self.stewards.append((number, fields[0]))
            now[3] = [node for node in now[3] if node != fields[0]]
        elif change == 7:
            chosen = fields[0]
            require(len(chosen) <= 8, "limit")
            require(len(set(chosen)) == len(chosen), "change", "appointed twice")
            require(all(self.is_member(node) and node != now[2] for node in chosen), "change", "no deputy")
            now[3] = chosen
        elif change == 8:
            require(now[7], "change", "not closed")
            now[7] = False
        elif change == 9:
            now[5] = [member for member in now[5] if member[0] != fields[0]] + [self.replace(number, *fields)]
            now[3] = [node for node in now[3] if node != fields[0]]
        elif change == 10:
            self.move(*fields)
        else:
            require(change == 4, "change", "founded twice")
        require(now == state, "state")
        self.state = now
        self.hashes.append(name)

    def found(self, entry, name):
        _, circle, number, previous, _, signer, (change, fields), state = entry
        require(change == 1 and number == 1 and previous is None and circle is None, "number")
        self.quoted(fields[0], signer)
        now = [state[0], state[1], signer, [], state[4], [[signer, 1, [1, []]]], [1, state[6][1]], False]
        require(now == state, "state")
        self.state, self.circle, self.hashes = now, name, [name]
        self.epochs[1] = (name, state[6][1], None)
        self.terms[signer] = [[1, 0]]
        self.stewards = [(1, signer)]

    def quoted(self, content, node):
        try:
            payload, _ = descriptor(content)
        except Refused as error:
            raise Refused("descriptor", str(error)) from None
        require(payload[1] == node, "change", "descriptor of another node")
        self.recoveries[node] = (node, payload[13], 0)

    def admit(self, number, steward, node, quoted, accepted, grant, starts):
        require(not self.is_member(node), "change", "a member already")
        require(node not in self.replaced, "change", "an identity that was replaced")
        require(len(self.state[5]) < 64, "limit")
        self.quoted(quoted, node)
        try:
            agreed, name = acceptance(accepted)
        except Refused as error:
            raise Refused("acceptance", str(error)) from None
        require(agreed[2] == node and agreed[3] == steward and name not in self.used, "change", "acceptance")
        require(grant[0] != 1 or not starts, "change", "starts with the whole past")
        require(grant[0] != 2 or grant[1][0] in self.epochs, "change", "no such epoch")
        self.used.add(name)
        self.terms.setdefault(node, []).append([number, 0])
        self.starts[node] = {encode(log): sequence for log, sequence in starts}
        return [node, number, grant]

    def remove(self, number, node, _, cuts):
        require(self.is_member(node) and node != self.state[2], "change", "cannot be removed")
        logs = [cut[0] for cut in cuts]
        require(len(set(logs)) == len(logs), "change", "cut twice")
        self.terms[node][-1][1] = number
        self.starts.pop(node, None)
        self.cuts.setdefault(node, []).append((number, {cut[0]: (cut[1], cut[2]) for cut in cuts}))

    def move(self, node, removal, cuts):
        held = self.cuts.get(node, [])
        found = [cuts_of for at, cuts_of in held if at == removal]
        require(found, "change", "removed no such node")
        logs = [cut[0] for cut in cuts]
        require(cuts and len(set(logs)) == len(logs), "change", "nothing moved, or twice")
        require(self.moves.get((node, removal), 0) < 16, "limit")
        for incarnation, sequence, _ in cuts:
            earlier = [at for at, cuts_of in held if at < removal and incarnation in cuts_of]
            require(not earlier, "change", "cut by an earlier removal")
            require(sequence > found[0].get(incarnation, (0, None))[0], "change", "not forward")
        found[0].update({cut[0]: (cut[1], cut[2]) for cut in cuts})
        require(len(found[0]) <= 1024, "limit")
        self.moves[node, removal] = self.moves.get((node, removal), 0) + 1

    def replace(self, number, old, cuts, new, quoted, statements):
        before = [member for member in self.state[5] if member[0] == old]
        require(before and old != self.state[2], "change", "cannot be replaced")
        require(new not in self.terms, "change", "in the circle before")
        stands = self.recoveries[old]
        self.quoted(quoted, new)
        require(len(statements) <= 8, "limit")
        for statement in statements:
            try:
                stands = identities.after(stands, identities.replacement(statement)[0])
            except Refused as error:
                raise Refused("replacement", str(error)) from None
        require(stands[:2] == self.recoveries[new][:2], "change", "leads elsewhere")
        self.recoveries[new] = stands
        self.remove(number, old, None, cuts)
        self.replaced.add(old)
        self.terms[new] = [[number, 0]]
        _, since, grant = before[0]
        return [new, number, [2, [since]] if grant[0] == 0 else grant]

    def depart(self, departure):
        """The members that are left."""
        _, circle, node, number, name, _, _ = departure
        require(circle == self.circle, "circle")
        require(0 < number <= len(self.hashes), "unknown-entry")
        require(name == self.hashes[number - 1], "entry")
        require(any(member[0] == node and member[1] <= number for member in self.state[5]), "not-member")
        then = max(since for since, _ in self.stewards if since <= number)
        require(all(steward != node for since, steward in self.stewards if since >= then), "steward")
        return [member[0] for member in self.state[5] if member[0] != node]

    def is_member(self, node):
        return any(member[0] == node for member in self.state[5])

    def was_member(self, node, number):
        return any(begun <= number and (ended == 0 or number < ended) for begun, ended in self.terms.get(node, []))

    def epoch_of(self, number):
        return self.epochs[max(start for start in self.epochs if start <= number)][0]

    def cut_of(self, log, number):
        """None: not cut. Else the last place that counts: (0, None) where nothing does."""
        node, incarnation = log
        ends = [ended for begun, ended in self.terms.get(node, []) if begun <= number and (ended == 0 or number < ended)]
        until = ends[0] if ends else 1 << 64
        named = [cuts[incarnation] for at, cuts in self.cuts.get(node, [])
                 if incarnation in cuts and (until == 0 or at <= until)]
        return named[0] if named else None if until == 0 or node not in self.cuts else (0, None)

    def open_copy(self, content, own, seed):
        copy = decode(content, "any")
        if len(copy[5][0]) == 1120:
            require(SHAPES.fits("sealed-secret", copy), "payload")
        number, epoch, sealer, recipient, key, (encapsulated, ciphertext) = copy
        require(number in self.epochs, "misplaced")
        name, commitment, previous = self.epochs[number]
        require(epoch == name and recipient == own, "misplaced")
        require(key_id(hybrid.Private(seed).public) == key, "other-key")
        info = ["maillon/1 seal", "epoch", self.circle, number, previous, epoch, sealer, recipient, key]
        secret = hybrid.open_sealed(seed, encapsulated, ciphertext, encode(info))
        require(secret is not None, "seal-open")
        require(len(secret) == 32, "commitment")
        found = hashlib.sha256(encode(["maillon/1 epoch", previous, number, secret])).digest()
        require(found == commitment, "commitment")
        return number, secret, commitment
