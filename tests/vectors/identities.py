"""Replacements and revocations: what a recovery key and an identity say, and what stands after it."""

from forms import parse, require, sha256, verify_signature


def replacement(content):
    require(len(content) <= 512, "limit")
    payload, name, pending = parse(content, "replacement")
    version, recovery, old, new, following, _ = payload[:6]
    require(version == 1, "version")
    require(len({recovery, old, new}) == 3, "same-key")
    require(new is not None or following != sha256(recovery), "nothing")
    verify_signature(recovery, pending)
    return payload, name


def revocation(content):
    require(len(content) <= 256, "limit")
    payload, name, pending = parse(content, "revocation")
    require(payload[0] == 1, "version")
    verify_signature(payload[1], pending)
    return payload, name


def after(stands, payload):
    """Node, hash of its recovery key, counter: before and after a replacement."""
    node, recovery, counter = stands
    _, key, old, new, following, number = payload
    require(old == node, "identity")
    require(sha256(key) == recovery, "recovery")
    require(number > counter, "older")
    return new or node, following, number
