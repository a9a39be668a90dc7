"""Keys, points and signatures that every implementation must refuse, though libraries differ on them."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from nacl import bindings
from nacl.exceptions import BadSignatureError

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
IDENTITY = (0, 1)
R_OF_IDENTITY = (1).to_bytes(32, "little")


def add(a, b):
    product = D * a[0] * b[0] * a[1] * b[1] % P
    return ((a[0] * b[1] + a[1] * b[0]) * pow(1 + product, -1, P) % P, (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, P) % P)


def decode(key):
    """As a lax decoder does: y is taken modulo p, and the sign of a zero x is passed over. None for no point."""
    y = (int.from_bytes(key, "little") & (2**255 - 1)) % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square:
        return None
    return (P - x if x and x % 2 != key[31] >> 7 else x, y)


def is_canonical(key, point):
    return int.from_bytes(key, "little") & (2**255 - 1) < P and not (point[0] == 0 and key[31] >> 7)


def order(point):
    n, sum_ = 1, point
    while sum_ != IDENTITY and n < 9:
        n, sum_ = n + 1, add(sum_, point)
    return n


def challenge(r, key, message):
    return int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % L


def first_message(key):
    """The first number of 4 bytes with a challenge that every small order divides: S = 0 and R = identity then fulfil S B = R + k A."""
    n = 0
    while challenge(R_OF_IDENTITY, key, n.to_bytes(4, "big")) % 8:
        n += 1
    return n.to_bytes(4, "big")


def is_refused(key, message, signature):
    try:
        bindings.crypto_sign_open(signature + message, key)
    except BadSignatureError:
        return True
    return False


def agrees(secret, point):
    results = []
    for agree in (bindings.crypto_scalarmult, lambda s, p: X25519PrivateKey.from_private_bytes(s).exchange(X25519PublicKey.from_public_bytes(p))):
        try:
            agree(secret, point)
            results.append(True)
        except (RuntimeError, ValueError):
            results.append(False)
    return results


def check(v, handshake, check_value):
    points = {name: value for name, value in v.items() if name.startswith("x25519_")}
    for name, point in points.items():
        for secret in (handshake["gateway_ephemeral_secret"], handshake["agent_ephemeral_secret"]):
            check_value(name + " agrees", False, any(agrees(secret, point)))
    keys = {name: value for name, value in v.items() if name.startswith("ed25519_key_") and not name.endswith(("_message", "_signature"))}
    for name, key in keys.items():
        point = decode(key)
        check_value(name + " is a point", True, point is not None)
        check_value(name + " order", int(name.split("_")[3]), order(point))
        check_value(name + " canonical", "not_canonical" not in name, is_canonical(key, point))
        check_value(name + "_message", v[name + "_message"], first_message(key))
        check_value(name + "_signature", v[name + "_signature"], R_OF_IDENTITY + bytes(32))
        check_value(name + " refused", True, is_refused(key, v[name + "_message"], v[name + "_signature"]))
    check_signatures(v, handshake["agent_seed"], handshake["agent_pk"], check_value)
    check_value("number of points and keys", (14, 14), (len(points), len(keys)))
    return f"{len(points)} points, {len(keys)} keys, 2 signatures"


def check_signatures(v, seed, key, check_value):
    message = b"refused"
    signature = bindings.crypto_sign(message, seed + key)[:64]
    above = signature[:32] + (int.from_bytes(signature[32:], "little") + L).to_bytes(32, "little")
    check_value("ed25519_signature_s_above_order", v["ed25519_signature_s_above_order"], above)
    r = (P + 1).to_bytes(32, "little")
    digest = bytearray(hashlib.sha512(seed).digest()[:32])
    digest[0] &= 248
    digest[31] = digest[31] & 63 | 64
    s = challenge(r, key, message) * int.from_bytes(digest, "little") % L
    check_value("ed25519_signature_r_not_canonical", v["ed25519_signature_r_not_canonical"], r + s.to_bytes(32, "little"))
    for name in ("ed25519_signature_s_above_order", "ed25519_signature_r_not_canonical"):
        check_value(name + " refused", True, is_refused(key, message, v[name]))
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(v[name], message)
            check_value(name + " refused by OpenSSL", True, False)
        except InvalidSignature:
            pass
