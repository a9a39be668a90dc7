"""Signed Diffie-Hellman, gateway first (PROTOCOL.md, sections 2 and 3): pure functions over M1, M2 and M3, for both encodings."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Collection, Final

from nacl import bindings

from primitives import NAME, DirectionKeys, ProtocolError, Reader, SigningKey, block, expand, extract, now, sha256, uint, verify

VERSION: Final = 1
SUITE: Final = 1
SESSION: Final = 1
ENROL: Final = 2
REFUSAL: Final = b"\x0f\x01"


@dataclass(frozen=True)
class Certificate:
    """A certificate of a gateway (section 2), a service or an operator (section 12)."""

    name: str
    public: bytes
    not_before: int
    not_after: int
    serial: int
    root_id: bytes
    signed: bytes
    signature: bytes

    @staticmethod
    def read(reader: Reader) -> Certificate:
        """Reads a certificate where the reader stands."""
        start = reader.at
        name, public = reader.text(1), reader.take(32)
        dates = reader.uint(8), reader.uint(8), reader.uint(8)
        root_id = reader.take(8)
        signed = reader.data[start:reader.at]
        if not NAME.fullmatch(name):
            raise ProtocolError("malformed: name in certificate", 4400)
        return Certificate(name, public, *dates, root_id, signed, reader.take(64))

    def fault(self, context: str, roots: Collection[bytes]) -> str:
        """Why the certificate is not good, in the words of section 12; empty when it is."""
        root = next((r for r in roots if sha256(r)[:8] == self.root_id), None)
        if root is None:
            return "unknown_root"
        if not verify(root, context, self.signed, self.signature):
            return "bad_certificate"
        seconds = int(time.time())
        if seconds < self.not_before:
            return "certificate_not_yet_valid"
        return "certificate_expired" if seconds > self.not_after else ""


@dataclass(frozen=True)
class Agreement:
    """What a handshake gives: the keys of both directions, and what signatures bind to."""

    sending: DirectionKeys
    receiving: DirectionKeys
    session_id: bytes
    gateway: Certificate


class Handshake:
    """The agent's side of one handshake."""

    def __init__(self, subprotocol: str, path: str, key: SigningKey, roots: Collection[bytes], revoked: Collection[int]) -> None:
        prologue = block("streams/1", 1) + block(subprotocol, 2) + block(subprotocol, 1) + block(path, 2)
        self._hash = sha256(b"streams/1 transcript\0" + prologue)
        self._key, self._roots, self._revoked = key, roots, revoked

    def hello(self, m1: bytes) -> None:
        """Checks M1 in the order of section 2; a failure closes with 4400."""
        if m1 == REFUSAL:
            raise ProtocolError("refused before M1", 4400)
        reader = Reader(m1)
        if reader.uint(1) != 1:
            raise ProtocolError("not M1", 4400)
        lowest, highest = reader.uint(1), reader.uint(1)
        suites = reader.block(1)
        self.gateway = Certificate.read(reader)
        self._theirs = reader.take(32)
        reader.take(32 + 8)
        reader.end()
        if not lowest <= VERSION <= highest or not 1 <= len(suites) <= 8 or SUITE not in suites:
            raise ProtocolError("no version or suite in common", 4400)
        fault = self.gateway.fault("gateway certificate", self._roots)
        if fault or self.gateway.serial in self._revoked:
            raise ProtocolError(f"gateway certificate: {fault or 'revoked'}", 4400)
        self._hash = sha256(self._hash + m1)

    def auth(self, mode: int, agent_id: str, boot_id: bytes, epoch: bytes, counter: int) -> bytes:
        """M2."""
        self._ephemeral = secrets.token_bytes(32)
        body = (bytes([2, VERSION, SUITE, mode]) + block(agent_id, 1) + self._key.public
                + bindings.crypto_scalarmult_base(self._ephemeral) + secrets.token_bytes(32) + uint(now(), 8)
                + boot_id + epoch + uint(counter, 8) + bytes(32))
        m2 = body + self._key.sign("agent auth", sha256(self._hash + body))
        self._hash = sha256(self._hash + m2)
        return m2

    def accept(self, m3: bytes) -> Agreement:
        """Verifies M3 and agrees on the keys."""
        if m3 == REFUSAL:
            raise ProtocolError("refused", 4400)
        if len(m3) != 65 or m3[0] != 3 or not verify(self.gateway.public, "gateway auth", sha256(self._hash + b"\3"), m3[1:]):
            raise ProtocolError("M3 is not the gateway's", 4400)
        transcript = sha256(self._hash + m3)
        try:
            shared = bindings.crypto_scalarmult(self._ephemeral, self._theirs)
        except RuntimeError:
            raise ProtocolError("X25519 result is zero", 4400) from None
        return agree(shared, transcript, self.gateway)


def agree(shared: bytes, transcript: bytes, gateway: Certificate) -> Agreement:
    """The key schedule of section 3, from Z and h3."""
    prk = extract(transcript, shared)

    def derive(label: str, size: int) -> bytes:
        return expand(prk, b"streams/1 " + label.encode() + transcript, size)

    return Agreement(DirectionKeys(derive("a2g", 32)), DirectionKeys(derive("g2a", 32)), derive("session id", 16), gateway)
