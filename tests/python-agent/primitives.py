"""What every part needs: the byte reader and writer of PROTOCOL.md's introduction, `sign` of section 2, HKDF and sealing of sections 3 and 4."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from typing import Final

from nacl import bindings
from nacl.exceptions import BadSignatureError

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
KEY_FRAMES: Final = 1 << 20
KEY_SECONDS: Final = 120.0


class ProtocolError(Exception):
    """The peer broke the protocol: the session ends with `code` (section 8)."""

    def __init__(self, why: str, code: int = 4401) -> None:
        super().__init__(why)
        self.code = code


class Reader:
    """Reads a big-endian structure; what is short or has trailing bytes is malformed."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if len(self.data) - self.at < count:
            raise ProtocolError("malformed: too short")
        self.at += count
        return self.data[self.at - count:self.at]

    def uint(self, size: int) -> int:
        """An unsigned big-endian integer of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def block(self, size: int) -> bytes:
        """`str8` (size 1) or `str16` (size 2)."""
        return self.take(self.uint(size))

    def text(self, size: int) -> str:
        """A `str8` or `str16` of UTF-8."""
        try:
            return self.block(size).decode()
        except UnicodeDecodeError:
            raise ProtocolError("malformed: no UTF-8") from None

    def end(self) -> None:
        """Nothing may be left."""
        if self.at != len(self.data):
            raise ProtocolError("malformed: trailing bytes")


def uint(value: int, size: int) -> bytes:
    """An unsigned big-endian integer of `size` bytes."""
    return value.to_bytes(size, "big")


def block(data: bytes | str, size: int) -> bytes:
    """`str8` (size 1) or `str16` (size 2)."""
    raw = data.encode() if isinstance(data, str) else data
    return uint(len(raw), size) + raw


def now() -> int:
    """Unix microseconds."""
    return time.time_ns() // 1000


def sha256(data: bytes) -> bytes:
    """`H`."""
    return hashlib.sha256(data).digest()


def to_base64url(data: bytes) -> str:
    """base64url without padding (section 11)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The inverse of `to_base64url`; any other spelling is refused."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, UnicodeError):
        raise ProtocolError("malformed: base64url") from None
    if to_base64url(data) != text:
        raise ProtocolError("malformed: base64url")
    return data


def _signed(context: str, data: bytes) -> bytes:
    return b" " * 64 + b"streams/1 " + context.encode() + b"\0" + data


class SigningKey:
    """An Ed25519 key made of a seed of 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        self.public, self._secret = bindings.crypto_sign_seed_keypair(seed)

    def sign(self, context: str, data: bytes) -> bytes:
        """`sign(key, context, data)` of section 2."""
        return bindings.crypto_sign(_signed(context, data), self._secret)[:64]


def verify(public: bytes, context: str, data: bytes, signature: bytes) -> bool:
    """Checks a signature; libsodium refuses small orders, non-canonical encodings and S >= L."""
    try:
        bindings.crypto_sign_open(signature + _signed(context, data), public)
        return True
    except (BadSignatureError, ValueError, TypeError):
        return False


def extract(salt: bytes, material: bytes) -> bytes:
    """HKDF-Extract with SHA-256."""
    return hmac.digest(salt, material, "sha256")


def expand(key: bytes, info: str | bytes, size: int) -> bytes:
    """HKDF-Expand with SHA-256, one block at most."""
    label = info.encode() if isinstance(info, str) else info
    return hmac.digest(key, label + b"\1", "sha256")[:size]


class DirectionKeys:
    """Keys of one direction: key and iv of each key_epoch, and the counter (sections 3 and 4)."""

    def __init__(self, secret: bytes) -> None:
        self.key_epoch = -1
        self._next = secret
        self.advance()

    def advance(self) -> None:
        """Goes to the next key_epoch; the older key is erased."""
        secret = self._next
        self.key, self.iv = expand(secret, "key", 32), expand(secret, "iv", 12)
        self._next = expand(secret, "next", 32)
        self.key_epoch += 1
        self.counter = 0
        self.since = time.monotonic()

    @property
    def worn(self) -> bool:
        """Whether the sender must take the next key before its next frame."""
        return self.counter >= KEY_FRAMES or time.monotonic() - self.since >= KEY_SECONDS

    @property
    def nonce(self) -> bytes:
        """The nonce of the next frame."""
        return self.iv[:4] + (int.from_bytes(self.iv[4:], "big") ^ self.counter).to_bytes(8, "big")

    def seal(self, plaintext: bytes, associated: bytes) -> bytes:
        """Ciphertext and tag under the next nonce."""
        sealed = bindings.crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, associated, self.nonce, self.key)
        self.counter += 1
        return sealed

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """The plaintext under the next nonce."""
        try:
            plain = bindings.crypto_aead_chacha20poly1305_ietf_decrypt(sealed, associated, self.nonce, self.key)
        except Exception:
            raise ProtocolError("does not open") from None
        self.counter += 1
        return plain
