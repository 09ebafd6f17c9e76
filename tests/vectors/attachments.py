"""Attachments: chunks under a key of their own."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from forms import Refused, encode, require, sha256

CHUNK, TAG, LIMIT = 65536, 16, 25 * 1024 * 1024
AAD = encode(["maillon/1 attachment"])


def count(length):
    return max(1, -(-length // CHUNK))


def nonce(number, last):
    return bytes(3) + number.to_bytes(8, "big") + bytes([last])


def seal(key, plain):
    cipher, chunks = ChaCha20Poly1305(key), count(len(plain))
    return [cipher.encrypt(nonce(number, number + 1 == chunks), plain[number * CHUNK:][:CHUNK], AAD)
            for number in range(chunks)]


def opens(cipher, number, chunks, sealed):
    if len(sealed) < TAG:
        return None
    try:
        return cipher.decrypt(nonce(number, number + 1 == chunks), sealed, AAD)
    except InvalidTag:
        return None


def open_chunk(cipher, number, length, sealed):
    chunks = count(length)
    require(number < chunks, "longer")
    size = min(CHUNK, length - number * CHUNK) + TAG
    plain = opens(cipher, number, chunks, sealed)
    if plain is None:
        others = (other for other in range(chunks) if other != number)
        sizes = (other for other in others if min(CHUNK, length - other * CHUNK) + TAG == len(sealed))
        require(all(opens(cipher, other, chunks, sealed) is None for other in sizes), "reordered")
    require(len(sealed) <= size, "longer")
    require(len(sealed) >= size, "truncated")
    if plain is None:
        raise Refused("chunk-open")
    return plain


def judge(given):
    made = seal(bytes.fromhex(given["key"]), bytes(place % 251 for place in range(given["plain"])))
    said, chunks = given["said"], []
    for chunk in given["chunks"]:
        content = bytearray(made[chunk["number"]][: chunk.get("keep")])
        if "flip" in chunk:
            content[chunk["flip"]] ^= 1
        chunks.append(bytes(content) + bytes(chunk.get("more", False)))
    key = bytes.fromhex(said["key"])
    require(said["length"] <= LIMIT, "limit")
    require(len(key) == 32, "attachment-key")
    cipher = ChaCha20Poly1305(key)
    plain = b"".join(open_chunk(cipher, number, said["length"], sealed) for number, sealed in enumerate(chunks))
    require(len(chunks) == count(said["length"]), "truncated")
    require(sha256(*chunks).hex() == said["address"], "address")
    require(sha256(plain).hex() == said["plaintext_hash"], "plaintext")
    return {"chunks": len(chunks), "plaintext": sha256(plain).hex(), "last_tag": chunks[-1][-16:].hex()}
