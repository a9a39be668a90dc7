"""The agent's identity and whom it believes: key, pinned roots, revoked gateways, succession of roots (PROTOCOL.md, section 11)."""

from __future__ import annotations

import json
import secrets

from primitives import ProtocolError, Reader, SigningKey, from_base64url, sha256, verify
from store import Store


class Trust:
    """Identity and roots, as the store has them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        seed = store.get("key_seed")
        if seed is None:
            seed = secrets.token_bytes(32)
            store.put("key_seed", seed)
        self.key = SigningKey(seed)
        self.agent_id: str = store.get("agent_id", "")
        self.roots: list[bytes] = [bytes.fromhex(root) for root in json.loads(store.get("roots", "[]"))]
        self.revoked: set[int] = set(json.loads(store.get("revoked", "[]")))

    def pin(self, roots: list[bytes]) -> None:
        """Pins roots, the newest last."""
        self.roots = roots
        self._store.put("roots", json.dumps([root.hex() for root in roots]))

    def named(self, agent_id: str) -> None:
        """Keeps the id that enrolment gave."""
        self.agent_id = agent_id
        self._store.put("agent_id", agent_id)

    def revocations(self, document: bytes, serial: int) -> None:
        """Takes a list of revoked gateways when it is newer and signed; ends the session when this gateway is in it."""
        if document:
            reader = Reader(document)
            version = reader.uint(8)
            reader.take(8)
            serials = [reader.uint(8) for _ in range(reader.uint(2))]
            if self._signed(reader, "gateway revocations") and version > self._store.get("revoked_version", -1):
                self._store.put("revoked", json.dumps(serials))
                self._store.put("revoked_version", version)
                self.revoked = set(serials)
        if serial in self.revoked:
            raise ProtocolError("this gateway is revoked", 4400)

    def succession(self, document: bytes) -> None:
        """Pins the root that the newest pinned one names, or retires those before one that names itself."""
        reader = Reader(document)
        root = reader.take(32)
        reader.take(8)
        if self._signed(reader, "fleet root", self.roots[-1:]):
            self.pin([root] if root == self.roots[-1] else [self.roots[-1], root])

    def event(self, document: dict[str, object], serial: int) -> None:
        """An event on `agent.registry`."""
        if document.get("succession"):
            self.succession(from_base64url(str(document["succession"])))
        self.revocations(from_base64url(str(document.get("revocations") or "")), serial)

    def _signed(self, reader: Reader, context: str, roots: list[bytes] | None = None) -> bool:
        root_id = reader.take(8)
        signed = reader.data[:reader.at]
        signature = reader.take(64)
        reader.end()
        return any(sha256(root)[:8] == root_id and verify(root, context, signed, signature) for root in (self.roots if roots is None else roots))
