"""Signed commands: read, judged in order, remembered before they run, answered (PROTOCOL.md, section 12)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Callable, Final, Iterator

from handshake import Certificate
from primitives import NAME, ProtocolError, Reader, block, from_base64url, now, sha256, to_base64url, uint, verify
from store import Store
from trust import Trust

SERVICE, OPERATOR = 1, 2
CONTEXTS: Final = {SERVICE: "service certificate", OPERATOR: "operator certificate"}
BY_SERVICE: Final = {"status", "report", "collect"}
BY_OPERATOR: Final = {"kill", "isolate", "rotate", "re-register", "config"}
COMMAND_ID: Final = re.compile(r"[0-9a-f]{32}")
DAY, SKEW, JOURNAL = 86_400_000_000, 300_000_000, 1024
ENDS: Final = {"finished", "failed", "expired", "refused", "unknown"}
Answer = dict[str, str]


@dataclass(frozen=True)
class Command:
    """A command document."""

    identifier: str
    kind: str
    signer: int
    certificate: Certificate
    not_before: int
    deadline: int
    agents: list[str]
    digest: bytes
    signature: bytes


def read(document: bytes) -> Command:
    """Reads a command document; ProtocolError when it is malformed."""
    if len(document) > 40_960:
        raise ProtocolError("malformed")
    reader = Reader(document)
    version, identifier, kind, signer = reader.uint(1), reader.take(16), reader.text(1), reader.uint(1)
    inner = Reader(reader.block(1))
    certificate = Certificate.read(inner)
    inner.end()
    actor = reader.text(1)
    reader.take(8 + 8)
    not_before, deadline = reader.uint(8), reader.uint(8)
    agents = [reader.text(1) for _ in range(reader.uint(2))]
    arguments = [(reader.text(1), reader.text(2)) for _ in range(reader.uint(1))]
    digest = sha256(document[:reader.at])
    signature = reader.take(64)
    reader.end()
    names = [name for name, _ in arguments]
    if (version != 1 or signer not in CONTEXTS or not 1 <= len(kind) <= 32 or not 1 <= len(actor) <= 64 or len(agents) > 256 or len(arguments) > 16
            or agents != sorted(set(agents)) or names != sorted(set(names)) or not all(NAME.fullmatch(agent) for agent in agents)):
        raise ProtocolError("malformed")
    return Command(identifier.hex(), kind, signer, certificate, not_before, deadline, agents, digest, signature)


def fault(command: Command, trust: Trust) -> str:
    """Why the command is not done, up to the journal; empty when nothing speaks against it."""
    known = command.kind in BY_SERVICE | BY_OPERATOR or command.kind.startswith(("module.", "policy."))
    why = "" if known else "unknown_kind"
    why = why or command.certificate.fault(CONTEXTS[command.signer], trust.roots)
    if not why and command.signer == SERVICE and command.kind not in BY_SERVICE:
        why = "wrong_signer"
    if not why and not verify(command.certificate.public, "command", command.digest, command.signature):
        why = "bad_signature"
    if not why and trust.agent_id not in command.agents:
        why = "not_for_this_agent"
    if not why and now() > command.deadline:
        why = "expired"
    return why or ("not_yet" if command.not_before > now() + SKEW else "")


class Commands:
    """The journal, and what runs by it."""

    def __init__(self, store: Store, trust: Trust, status: Callable[[], dict[str, Any]]) -> None:
        self._store, self._trust, self._status = store, trust, status
        self.answered = 0

    def _sign(self, identifier: str, digest: bytes, state: str, detail: str = "", result: str = "") -> Answer:
        text = result.encode()
        said = (b"\1" + bytes.fromhex(identifier) + digest + block(self._trust.agent_id, 1) + block(state, 1) + uint(now(), 8) + block(detail, 2)
                + uint(len(text), 4) + text)
        return {"answer": to_base64url(said + self._trust.key.sign("command answer", sha256(said)))}

    def take(self, identifier: str, document: dict[str, Any]) -> Iterator[Answer]:
        """The answers to a request on `agent.control` with this id; the caller sends each before it asks for the next."""
        carried = b""
        try:
            carried = from_base64url(str(document["command"]))
            command = read(carried)
        except (ProtocolError, KeyError):
            if COMMAND_ID.fullmatch(identifier):
                yield self._sign(identifier, sha256(carried[:-64]), "refused", "malformed")
            return
        self._store.forget_commands(now() - DAY)
        digest = to_base64url(command.digest)

        def answer(state: str, detail: str = "", result: str = "") -> Answer:
            return self._sign(command.identifier, command.digest, state, detail, result)

        before = self._store.command(command.identifier)
        why = fault(command, self._trust)
        if not before or before[0] != digest or before[1] not in ENDS:
            if not why and before and before[0] != digest:
                why = "id_reused"
            if not why and not before and self._store.commands() >= JOURNAL:
                why = "journal_full"
            if why:
                yield answer("expired" if why == "expired" else "refused", why)
                return
        if before:
            state = before[1] if before[1] in ENDS else "unknown"
            self._store.remember(command.identifier, digest, command.deadline, state, before[2], before[3])
            yield answer(state, before[2], before[3])
            return
        self._store.remember(command.identifier, digest, command.deadline, "received")
        yield answer("received")
        if command.kind != "status":
            self._store.remember(command.identifier, digest, command.deadline, "refused", "unsupported")
            yield answer("refused", "unsupported")
            return
        self._store.remember(command.identifier, digest, command.deadline, "started")
        yield answer("started")
        result = json.dumps(self._status())
        self._store.remember(command.identifier, digest, command.deadline, "finished", "", result)
        yield answer("finished", "", result)
        self.answered += 1
