"""Just enough of edwards25519 (RFC 8032, section 5.1) to say which encodings are canonical and of large order."""

P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def decompress(encoded):
    """(x, y), or None where the bytes are no point. Takes encodings that are not canonical, as most libraries do."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, (number & (2**255 - 1)) % P
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P:
        return None
    return (P - x if x % 2 != sign else x) % P, y


def double(point):
    x, y = point
    product = D * x * x * y * y % P
    return 2 * x * y * pow(1 + product, P - 2, P) % P, (y * y + x * x) * pow(1 - product, P - 2, P) % P


def is_strict(encoded):
    """A canonical encoding of a point whose order is not 1, 2, 4 or 8."""
    point = decompress(encoded)
    if point is None:
        return False
    x, y = point
    if (y | (x % 2) << 255).to_bytes(32, "little") != encoded:
        return False
    return double(double(double(point))) != (0, 1)
