"""`streams.v1.json`: the envelope, its sealing and the contents of its messages (PROTOCOL.md, section 15)."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any, Final

from batch import USER_SPACE, ledger_of
from handshake import Agreement
from primitives import DirectionKeys, ProtocolError, SigningKey, block, now, sha256, uint, verify
from store import Batch
from wire import CONTROL, LANE_CLASSES, MODULE, REGISTRY, Ready, Received

TEXT_LIMIT, PLAIN_INTEGER, TAG = 262_144, 1 << 53, 16
FIELDS: Final = {"id", "type", "channel", "payload", "timestamp", "nonce", "signature", "headers"}
HEADERS: Final = {"agent_id", "module_id", "session_token"}
DATA_CHANNEL: Final = {"process_exec": "agent.observability", "ledger_barrier": "agent.telemetry", "batch_proof": "agent.telemetry"}
DATA_CLASS: Final = {"agent.observability": "event", "agent.telemetry": "metric"}
FLOW: Final = {"session.flow.credit": "credit", "session.flow.watermark": "watermark", "session.flow.rewind": "rewind", "session.flow.hold": "hold",
               "session.flow.rekey": "rekey", "session.flow.token": "token", "session.flow.error": "error", "heartbeat": "heartbeat", "auth": "session"}


def module_of(channel: str) -> str:
    """The module of a channel (section 7)."""
    return channel.split(".")[1] if channel.startswith(("agent.telemetry", "agent.observability")) else MODULE if channel.startswith("agent.") else "comm"


def dumps(document: Any) -> bytes:
    """JSON in UTF-8; integers above 2^53 as strings."""
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(item) for name, item in value.items()}
        if isinstance(value, list):
            return [plain(item) for item in value]
        return str(value) if isinstance(value, int) and not isinstance(value, bool) and value > PLAIN_INTEGER else value
    return json.dumps(plain(document), separators=(",", ":"), ensure_ascii=False).encode()


def loads(text: bytes | str) -> dict[str, Any]:
    """A JSON object; a field twice is malformed."""
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ProtocolError("duplicate_key")
        return dict(pairs)
    try:
        document = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise ProtocolError("malformed JSON") from None
    if not isinstance(document, dict):
        raise ProtocolError("malformed JSON")
    return document


def integer(value: Any) -> int:
    """A number, or a string of decimal digits."""
    if isinstance(value, bool) or not (isinstance(value, int) or isinstance(value, str) and value.isascii() and value.isdecimal()):
        raise ProtocolError("bad_value")
    return int(value)


class JsonWire:
    """The JSON encoding of one connection."""

    subprotocol = "streams.v1.json"

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self._count = 0
        self._token = ""

    def _envelope(self, fields: tuple[str, str, str], payload: bytes, timestamp: int, nonce: bytes, signature: bytes, headers: tuple[str, str, str]) -> str:
        names = dict(zip(("agent_id", "module_id", "session_token"), headers))
        coded = [base64.b64encode(part).decode() for part in (payload, nonce, signature)]
        return json.dumps({"id": fields[0], "type": fields[1], "channel": fields[2], "payload": coded[0], "timestamp": timestamp,
                           "nonce": coded[1], "signature": coded[2], "headers": names}, separators=(",", ":"))

    def wrap(self, struct: bytes, agent_id: str) -> str:
        """A handshake message: the struct as payload, nothing sealed."""
        return self._envelope(("auth", "response", "auth"), struct, now(), b"", b"", (agent_id, "comm", ""))

    def _parse(self, message: bytes | str) -> dict[str, Any]:
        if not isinstance(message, str) or len(message) > TEXT_LIMIT:
            raise ProtocolError("not a text message of streams.v1.json")
        envelope = loads(message)
        headers = envelope.get("headers")
        if set(envelope) != FIELDS or not isinstance(headers, dict) or set(headers) != HEADERS:
            raise ProtocolError("envelope fields")
        try:
            for name in ("payload", "nonce", "signature"):
                envelope[name] = base64.b64decode(envelope[name], validate=True)
        except (ValueError, TypeError):
            raise ProtocolError("bad_value") from None
        return envelope

    def unwrap(self, message: bytes | str) -> bytes:
        """The handshake struct."""
        envelope = self._parse(message)
        if envelope["channel"] != "auth":
            raise ProtocolError("not a handshake message")
        return envelope["payload"]

    def agreed(self, agreement: Agreement, agent_id: str) -> None:
        """Takes the keys."""
        self._agreement, self._agent_id = agreement, agent_id
        self._send: DirectionKeys = agreement.sending
        self._receive: DirectionKeys = agreement.receiving

    def _seal(self, kind: str, channel: str, content: Any, identifier: str = "") -> list[bytes | str]:
        out: list[bytes | str] = []
        if self._send.worn and channel != "session.flow.rekey":
            out += self._seal("event", "session.flow.rekey", {"key_epoch": self._send.key_epoch + 1})
            self._send.advance()
        self._count += 1
        identifier, timestamp, nonce = identifier or f"m{self._count}", now(), self._send.nonce
        associated = _associated(identifier, kind, channel, timestamp, self._agent_id, module_of(channel), self._token, 0)
        plaintext = secrets.token_bytes(16) + (content if isinstance(content, bytes) else dumps(content))
        signature = self._key.sign("json message", self._agreement.session_id + b"\0" + nonce + sha256(associated) + sha256(plaintext))
        sealed = self._send.seal(plaintext, associated)
        return out + [self._envelope((identifier, kind, channel), sealed, timestamp, nonce, signature, (self._agent_id, module_of(channel), self._token))]

    def ready(self, ready: Ready) -> list[bytes | str]:
        """The agent's first message."""
        return self._seal("response", "auth", vars(ready))

    def heartbeat(self, beat: dict[str, Any]) -> list[bytes | str]:
        """Section 15, heartbeat."""
        return self._seal("event", "heartbeat", beat)

    def want(self, wants: dict[str, tuple[int, int]]) -> list[bytes | str]:
        """Section 15, want."""
        return self._seal("request", "session.flow.credit", {name: {"next": value[0], "queued": value[1]} for name, value in wants.items()})

    def data_class(self, batch: Batch) -> str:
        """Credit is spent under the class of the channel, not of the rows."""
        return DATA_CLASS[DATA_CHANNEL[batch.cls]]

    def _content(self, batch: Batch) -> bytes:
        content: dict[str, Any] = {"epoch": batch.epoch.hex(), "lane": batch.lane, "n": batch.n, "class": batch.cls, "schema": 1}
        if batch.tombstone:
            content["ledger"] = ledger_of(batch)
        drop = {"cpu"} if all(event.get("cpu", USER_SPACE) == USER_SPACE for event in batch.events) else set()
        content["events"] = [{name: value for name, value in event.items() if name not in drop} for event in batch.events]
        return dumps(content)

    def data_size(self, batch: Batch) -> int:
        """Bytes of the text message."""
        sealed = 16 + len(self._content(batch)) + TAG
        empty = self._envelope((_name(batch), "event", DATA_CHANNEL[batch.cls]), b"", now(), bytes(12), bytes(64),
                               (self._agent_id, module_of(DATA_CHANNEL[batch.cls]), self._token))
        return len(empty) + -(-sealed // 3) * 4

    def data(self, batch: Batch, catalogue: int) -> list[bytes | str]:
        """Section 15, data: one batch, its name as id."""
        return self._seal("event", DATA_CHANNEL[batch.cls], self._content(batch), _name(batch))

    def message(self, kind: str, channel: str, identifier: str, document: dict[str, Any]) -> list[bytes | str]:
        """A control message."""
        return self._seal(kind, channel, document, identifier)

    def error(self, code: str, channel: str, identifier: str, detail: str) -> list[bytes | str]:
        """Section 15, error of the agent."""
        return self._seal("event", "session.flow.error", {"code": code, "channel": channel, "id": identifier, "detail": detail[:64], "retry_after": 0})

    def open(self, message: bytes | str) -> Received:
        """Opens, then verifies; a wrong nonce or tag ends the session."""
        envelope = self._parse(message)
        headers, nonce = envelope["headers"], envelope["nonce"]
        if nonce != self._receive.nonce:
            raise ProtocolError("bad_nonce")
        kind, channel = envelope["type"], envelope["channel"]
        associated = _associated(envelope["id"], kind, channel, integer(envelope["timestamp"]), headers["agent_id"], headers["module_id"], headers["session_token"], 1)
        plaintext = self._receive.open(envelope["payload"], associated)
        signed = self._agreement.session_id + b"\1" + nonce + sha256(associated) + sha256(plaintext)
        good = verify(self._agreement.gateway.public, "json message", signed, envelope["signature"])
        base = next((known for known in (REGISTRY, CONTROL) if channel == known or channel.startswith(known + ".")), None)
        if base or channel.startswith("agent."):
            fault = "unsupported" if not base else "bad_signature" if not good else "" if headers["module_id"] == MODULE else "wrong_module"
            return Received("message", {"fault": fault, "type": kind, "channel": base or channel, "action": channel, "id": envelope["id"], "payload": plaintext[16:]})
        if not good or channel not in FLOW or headers["agent_id"] != self._agent_id:
            raise ProtocolError("message refused")
        return self._read(FLOW[channel], loads(plaintext[16:]))

    def _read(self, kind: str, fields: dict[str, Any]) -> Received:
        if kind == "rekey":
            if integer(fields["key_epoch"]) != self._receive.key_epoch + 1:
                raise ProtocolError("bad_value")
            self._receive.advance()
        elif kind == "credit":
            fields = {name: integer(fields.get(name, 0)) for name in LANE_CLASSES}
        elif kind == "error" and fields["code"] == "goodbye":
            kind = "goodbye"
        for name in ("watermarks", "lanes"):
            if name in fields:
                fields[name] = {(bytes.fromhex(mark["epoch"]), integer(mark["lane"])): integer(mark["n" if kind in ("rewind", "hold") else "committed"])
                                for mark in fields[name]}
        for name in ("generation", "catalogue_version", "max_frame", "max_open_lanes", "heartbeat_seconds", "session_seconds", "echo", "retry_after"):
            if name in fields:
                fields[name] = integer(fields[name])
        if "revocations" in fields:
            fields["revocations"] = base64.b64decode(fields["revocations"], validate=True)
        if kind in ("session", "token"):
            self._token = fields["token"]
        return Received(kind, fields)


def _name(batch: Batch) -> str:
    return f"{batch.epoch.hex()}-{batch.lane}-{batch.n}"


def _associated(identifier: str, kind: str, channel: str, timestamp: int, agent_id: str, module: str, token: str, direction: int) -> bytes:
    return (block(identifier, 2) + block(kind, 2) + block(channel, 2) + uint(timestamp, 8) + block(agent_id, 2) + block(module, 2)
            + sha256(token.encode()) + uint(direction, 1))
