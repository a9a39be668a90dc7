"""`streams.v1.bin`: sealed frames (PROTOCOL.md, section 4), their plaintexts (section 5) and control messages (section 7)."""

from __future__ import annotations

import json
from typing import Any, Callable, Final

from batch import PRIORITIES, encode
from handshake import Agreement
from primitives import DirectionKeys, ProtocolError, Reader, SigningKey, block, now, sha256, uint, verify
from store import Batch
from wire import CONTROL, LANE_CLASSES, MODULE, REGISTRY, Ready, Received

READY, DATA, WANT, HEARTBEAT, MESSAGE, ERROR = 1, 2, 3, 4, 5, 6
KINDS: Final = {64: "session", 65: "credit", 66: "watermark", 67: "heartbeat", 68: "goodbye", 69: "rewind", 70: "hold", 71: "message", 72: "token", 73: "error"}
GOODBYES: Final = {1: "drain", 2: "displaced", 3: "expired", 4: "resume", 5: "unavailable", 6: "protocol", 7: "limit"}
CHANNELS: Final = {REGISTRY: 3, CONTROL: 4}
OTHERS: Final = (7, 9)
TYPES: Final = {"request": 1, "response": 2, "event": 3}
CODES: Final = {"malformed": 1, "unknown_channel": 2, "wrong_direction": 3, "wrong_module": 4, "wrong_type": 5, "bad_signature": 6, "too_large": 7,
                "not_allowed": 8, "unsupported": 9}
STATES: Final = ("stopped", "starting", "running", "degraded", "failed")
HEADER, TAG, FRAME_LIMIT = 20, 16, 262_144


class BinWire:
    """The binary encoding of one connection."""

    subprotocol = "streams.v1.bin"

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def wrap(self, struct: bytes, agent_id: str) -> bytes:
        """Handshake structs are the messages themselves."""
        return struct

    def unwrap(self, message: bytes | str) -> bytes:
        """The handshake struct."""
        if not isinstance(message, bytes):
            raise ProtocolError("text message in streams.v1.bin")
        return message

    def agreed(self, agreement: Agreement, agent_id: str) -> None:
        """Takes the keys."""
        self._agreement = agreement
        self._send: DirectionKeys = agreement.sending
        self._receive: DirectionKeys = agreement.receiving

    def _frame(self, kind: int, make: bytes | Callable[[], bytes], lane_class: int = 0) -> list[bytes | str]:
        if self._send.worn:
            self._send.advance()
        plaintext = make if isinstance(make, bytes) else make()
        header = (bytes([1, kind, 0, lane_class]) + uint(self._send.key_epoch, 4) + uint(self._send.counter, 8) + uint(len(plaintext), 4))
        return [header + self._send.seal(plaintext, header)]

    def ready(self, ready: Ready) -> list[bytes | str]:
        """Section 5, ready."""
        return self._frame(READY, uint(ready.generation, 8) + uint(ready.catalogue_version, 2) + block(ready.agent_version, 1) + block(ready.host, 1))

    def heartbeat(self, beat: dict[str, Any]) -> list[bytes | str]:
        """Section 5, heartbeat of the agent; no ledger."""
        modules = beat["modules"]
        return self._frame(HEARTBEAT, uint(beat["sent_at"], 8) + uint(beat["policy_generation"], 8) + uint(beat["load"], 2) + uint(beat["cpu"], 2)
                           + uint(beat["memory"], 2) + uint(beat["retained"], 4) + uint(beat["lanes"], 2) + uint(len(modules), 1)
                           + b"".join(block(m["name"], 1) + uint(STATES.index(m["state"]), 1) + uint(m["rss_kib"], 4) + uint(m["cpu_permille"], 4)
                                      + uint(m["restarts"], 2) for m in modules) + uint(0, 1))

    def want(self, wants: dict[str, tuple[int, int]]) -> list[bytes | str]:
        """Section 5, want."""
        return self._frame(WANT, b"".join(uint(min(value, 0xFFFFFFFF), 4) for name in LANE_CLASSES for value in wants.get(name, (0, 0))))

    def data_class(self, batch: Batch) -> str:
        """The lane's class is the priority of the class of its rows."""
        return LANE_CLASSES[PRIORITIES[batch.cls]]

    def data_size(self, batch: Batch) -> int:
        """Frame bytes with header and tag, padded to 256."""
        return HEADER + -(-len(encode(batch, 0)) // 256) * 256 + TAG

    def data(self, batch: Batch, catalogue: int) -> list[bytes | str]:
        """Section 6, frame: one batch and its padding."""
        plain = encode(batch, catalogue)
        return self._frame(DATA, plain + bytes(-len(plain) % 256), PRIORITIES[batch.cls])

    def message(self, kind: str, channel: str, identifier: str, document: dict[str, Any]) -> list[bytes | str]:
        """Section 7, message; the signature has the place of the frame that carries it."""
        payload = json.dumps(document, separators=(",", ":")).encode()
        body = bytes([TYPES[kind], CHANNELS[channel]]) + block(identifier, 1) + block(MODULE, 1) + uint(now(), 8) + block(payload, 4)

        def signed() -> bytes:
            place = self._agreement.session_id + b"\0" + uint(self._send.key_epoch, 4) + uint(self._send.counter, 8)
            return body + self._key.sign("control message", place + sha256(body))

        return self._frame(MESSAGE, signed)

    def error(self, code: str, channel: str, identifier: str, detail: str) -> list[bytes | str]:
        """Section 7, error."""
        return self._frame(ERROR, uint(CODES[code], 2) + uint(CHANNELS.get(channel, 0), 1) + block(identifier, 1) + block(detail[:64], 1))

    def open(self, message: bytes | str) -> Received:
        """Refuses before opening what section 4 says, then opens and reads."""
        frame = self.unwrap(message)
        reader = Reader(frame)
        version, kind, flags, lane_class = reader.take(4)
        key_epoch, counter, length = reader.uint(4), reader.uint(8), reader.uint(4)
        if version != 1 or kind not in KINDS or flags or lane_class or len(frame) > 65_536 or len(frame) != HEADER + length + TAG:
            raise ProtocolError("frame header")
        if key_epoch == self._receive.key_epoch + 1 and counter == 0:
            self._receive.advance()
        if key_epoch != self._receive.key_epoch or counter != self._receive.counter or counter >= 1 << 20:
            raise ProtocolError("not the next counter")
        plaintext = self._receive.open(frame[HEADER:], frame[:HEADER])
        return self._read(KINDS[kind], plaintext, key_epoch, counter)

    def _read(self, kind: str, plaintext: bytes, key_epoch: int, counter: int) -> Received:
        reader = Reader(plaintext)
        fields: dict[str, Any] = {}
        if kind == "session":
            fields = {"token": reader.text(2), "generation": reader.uint(8), "gateway": reader.text(1), "catalogue_version": reader.uint(2),
                      "catalogue_digest": reader.take(32).hex(), "max_frame": reader.uint(4), "max_open_lanes": reader.uint(2),
                      "heartbeat_seconds": reader.uint(2), "session_seconds": reader.uint(4), "watermarks": _marks(reader, 1024),
                      "revocations": reader.block(2)}
        elif kind == "credit":
            fields = {name: reader.uint(8) for name in LANE_CLASSES}
        elif kind == "heartbeat":
            fields = {"sent_at": reader.uint(8), "echo": reader.uint(8), "watermarks": _marks(reader, 1024)}
        elif kind in ("watermark", "rewind", "hold"):
            fields = {"lanes": _marks(reader, 1024 if kind == "watermark" else 64)}
        elif kind == "goodbye":
            reason = reader.uint(1)
            fields = {"detail": GOODBYES.get(reason, str(reason)), "retry_after": reader.uint(4)}
        elif kind == "token":
            fields = {"token": reader.text(2)}
        elif kind == "error":
            fields = {"code": reader.uint(2), "channel": reader.uint(1), "id": reader.text(1), "detail": reader.text(1)}
        else:
            fields = self._message(reader, key_epoch, counter)
        reader.end()
        return Received(kind, fields)

    def _message(self, reader: Reader, key_epoch: int, counter: int) -> dict[str, Any]:
        kind, channel = reader.uint(1), reader.uint(1)
        identifier, module = reader.text(1), reader.text(1)
        reader.take(8)
        payload = reader.block(4)
        body = reader.data[:reader.at]
        place = self._agreement.session_id + b"\1" + uint(key_epoch, 4) + uint(counter, 8)
        name = next((known for known, number in CHANNELS.items() if number == channel), "")
        word = next((known for known, number in TYPES.items() if number == kind), "")
        fault = "" if name else "unsupported" if channel in OTHERS else "unknown_channel"
        fault = fault or ("" if module == MODULE else "wrong_module")
        fault = fault or ("" if word else "wrong_type")
        signature = reader.take(64)
        if not fault and not verify(self._agreement.gateway.public, "control message", place + sha256(body), signature):
            fault = "bad_signature"
        return {"fault": fault, "type": word, "channel": name, "action": name, "id": identifier, "payload": payload}


def _marks(reader: Reader, limit: int) -> dict[tuple[bytes, int], int]:
    count = reader.uint(2)
    if count > limit:
        raise ProtocolError("too many lanes")
    return {(reader.take(16), reader.uint(4)): reader.uint(4) for _ in range(count)}
