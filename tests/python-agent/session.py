"""One connection: handshake, then the session with credit, watermarks, rewinds, holds and heartbeats (PROTOCOL.md, sections 1, 2, 5, 6, 8, 9)."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import sys
import time
from pathlib import Path
from typing import Any, Callable, Final
from urllib.parse import urlsplit

import websockets
from websockets.client import WebSocketClientProtocol

from commands import Commands
from handshake import ENROL, SESSION, Agreement, Handshake
from primitives import ProtocolError, SigningKey, block, expand, now, to_base64url
from store import Store
from trust import Trust
from wire import CONTROL, LANE_CLASSES, Lane, Ready, Received, Wire
from wire_json import loads

CATALOGUE: Final = 3
VERSION: Final = "python 1"
CONNECT_SECONDS, ACCEPT_SECONDS, MISSING = 10, 5, 3


def log(text: str) -> None:
    """A line for people."""
    print(f"streams_agent: {text}", file=sys.stderr, flush=True)


def address(gateway: str) -> str:
    """The gateway's address with the path of section 1."""
    return gateway if urlsplit(gateway).path not in ("", "/") else gateway.rstrip("/") + "/v1/agent"


class Link:
    """A connection up to F0 and `ready`, in either mode."""

    def __init__(self, gateway: str, wire: Wire, trust: Trust, store: Store) -> None:
        self.url, self.wire, self.trust, self.store = address(gateway), wire, trust, store
        self.retry_after = 0
        self._sending = asyncio.Lock()

    async def connect(self, mode: int) -> Received:
        """Handshake, F0 and ready."""
        self.socket: WebSocketClientProtocol = await websockets.connect(
            self.url, subprotocols=[self.wire.subprotocol], compression=None, ping_interval=None, open_timeout=CONNECT_SECONDS,
            close_timeout=3, max_size=262_144, user_agent_header=None)
        if self.socket.subprotocol != self.wire.subprotocol:
            raise ProtocolError("another subprotocol was selected", 4400)
        return await asyncio.wait_for(self._handshake(mode), ACCEPT_SECONDS)

    async def _handshake(self, mode: int) -> Received:
        agent_id = self.trust.agent_id if mode == SESSION else ""
        shake = Handshake(self.wire.subprotocol, urlsplit(self.url).path, self.trust.key, self.trust.roots, self.trust.revoked)
        shake.hello(self.wire.unwrap(await self.socket.recv()))
        boot_id = bytes.fromhex(Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", ""))
        m2 = shake.auth(mode, agent_id, boot_id, self.store.epoch, self.store.connect_counter())
        await self.socket.send(self.wire.wrap(m2, agent_id))
        self.agreement: Agreement = shake.accept(self.wire.unwrap(await self.socket.recv()))
        self.wire.agreed(self.agreement, agent_id)
        first = self.wire.open(await self.socket.recv())
        if first.kind == "goodbye":
            self.retry_after = first.fields["retry_after"]
            raise ProtocolError(f"goodbye in place of F0: {first.fields['detail']}", 1000)
        if first.kind != "session":
            raise ProtocolError(f"{first.kind} in place of F0")
        self.trust.revocations(first.fields["revocations"], self.agreement.gateway.serial)
        self.catalogue = min(CATALOGUE, first.fields["catalogue_version"])
        await self.send(lambda: self.wire.ready(Ready(first.fields["generation"], CATALOGUE, VERSION, socket.gethostname())))
        return first

    async def send(self, seal: Callable[[], list[bytes | str]]) -> int:
        """Seals and sends in one turn, so that counters go out in order; the size of the last message."""
        async with self._sending:
            size = 0
            for message in seal():
                size = len(message)
                await self.socket.send(message)
            return size

    async def close(self, code: int) -> None:
        """Ends the connection."""
        if hasattr(self, "socket"):
            await self.socket.close(code)


class Session(Link):
    """A session (mode 1)."""

    def __init__(self, gateway: str, wire: Wire, trust: Trust, store: Store, commands: Commands, changed: asyncio.Event) -> None:
        super().__init__(gateway, wire, trust, store)
        self._commands, self._changed = commands, changed
        self.wake = asyncio.Event()
        self._position: dict[Lane, int] = {}
        self._reached: dict[Lane, int] = {}
        self._held: set[Lane] = set()
        self._credit = dict.fromkeys(LANE_CLASSES, 0)
        self._spent = dict.fromkeys(LANE_CLASSES, 0)
        self._told: dict[str, tuple[int, int]] = {}

    async def run(self) -> None:
        """Until the connection ends; ProtocolError or ConnectionClosed says how."""
        self._begin(await self.connect(SESSION))
        tasks = [asyncio.ensure_future(task) for task in (self._receive(), self._pump(), self._beat())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, first: Received) -> None:
        self._limits = first.fields
        self._heard = time.monotonic()
        for lane in self.store.lanes():
            key = (lane.epoch, lane.lane)
            mark = first.fields["watermarks"].get(key, lane.committed)
            if mark > lane.count:
                raise ProtocolError("watermark above what was sent")
            if mark > lane.committed:
                self.store.commit(*key, mark)
            elif mark < lane.committed:
                self.store.rewound(*key, mark)
            self._position[key], self._reached[key] = mark, lane.count
        self._changed.set()

    async def _receive(self) -> None:
        while True:
            received = self.wire.open(await self.socket.recv())
            self._heard = time.monotonic()
            await self._take(received)

    async def _take(self, received: Received) -> None:
        fields = received.fields
        match received.kind:
            case "credit":
                self._credit = {name: max(self._credit[name], offset) for name, offset in fields.items()}
                self.wake.set()
            case "watermark" | "heartbeat":
                self._watermarks(fields["lanes" if received.kind == "watermark" else "watermarks"])
            case "rewind":
                self._rewind(fields["lanes"])
            case "hold":
                for key in fields["lanes"]:
                    self._held.add(key)
                    self.store.seal_lane(*key)
            case "goodbye":
                self.retry_after = fields["retry_after"]
                log(f"goodbye: {fields['detail']}")
            case "error":
                log(f"the gateway refused {fields['id']}: {fields['code']} {fields['detail']}")
            case "message":
                await self._message(fields)
            case "session":
                raise ProtocolError("second F0")

    def _watermarks(self, marks: dict[Lane, int]) -> None:
        for lane in self.store.lanes():
            key = (lane.epoch, lane.lane)
            mark = marks.get(key, 0)
            if mark > self._reached.get(key, 0):
                raise ProtocolError("watermark above what was sent")
            if mark > lane.committed:
                self.store.commit(*key, mark)
                self._position[key] = max(self._position[key], mark)
        self._changed.set()
        self.wake.set()

    def _rewind(self, marks: dict[Lane, int]) -> None:
        for key, n in marks.items():
            if n < self._position.get(key, 0):
                self._position[key] = n
                self.store.rewound(*key, n)
        self.wake.set()

    async def _message(self, fields: dict[str, Any]) -> None:
        fault, channel, identifier = fields["fault"], fields["action"], fields["id"]
        try:
            if not fault and channel.startswith(CONTROL) and fields["type"] == "request":
                for answer in self._commands.take(identifier, loads(fields["payload"])):
                    await self.send(lambda: self.wire.message("response", channel, identifier, answer))
                self._changed.set()
            elif not fault and fields["type"] == "event":
                self.trust.event(loads(fields["payload"]), self.agreement.gateway.serial)
        except ProtocolError as error:
            if error.code == 4400:
                raise
            fault = "malformed"
        if fault:
            await self.send(lambda: self.wire.error(fault, channel, identifier, ""))

    async def _pump(self) -> None:
        while True:
            self.wake.clear()
            wants: dict[str, tuple[int, int]] = {}
            sent = False
            for lane in self.store.lanes("committed < count"):
                sent |= await self._send_of(lane.epoch, lane.lane, wants)
            if not sent and wants and wants != self._told:
                self._told = wants
                await self.send(lambda: self.wire.want(wants))
            if not sent:
                await self.wake.wait()

    async def _send_of(self, epoch: bytes, number: int, wants: dict[str, tuple[int, int]]) -> bool:
        """Sends of one lane what the credit covers, and notes what it does not."""
        key, sent = (epoch, number), False
        while True:
            lane = self.store.lanes("epoch = ? AND lane = ?", key)[0]
            n = self._position.setdefault(key, lane.committed)
            if key in self._held or n >= lane.count or not self._may_open(key, lane.committed):
                return sent
            batch = self.store.batch(epoch, number, n)
            name, size = self.wire.data_class(batch), self.wire.data_size(batch)
            if size > self._limits["max_frame"]:
                raise ValueError(f"batch of {size} bytes is above max_frame: make batches smaller")
            if self._spent[name] + size > self._credit[name]:
                least, queued = wants.get(name, (size, 0))
                wants[name] = (min(least, size), queued + size * (lane.count - n))
                return sent
            self._spent[name] += size
            self._position[key] = n + 1
            self._reached[key] = max(self._reached.get(key, 0), n + 1)
            actual = await self.send(lambda: self.wire.data(batch, self.catalogue))
            assert actual == size, (actual, size)
            sent = True

    def _may_open(self, key: Lane, committed: int) -> bool:
        busy = {(lane.epoch, lane.lane) for lane in self.store.lanes("committed < count")
                if self._position.get((lane.epoch, lane.lane), 0) > lane.committed}
        return key in busy or len(busy) < self._limits["max_open_lanes"]

    async def _beat(self) -> None:
        seconds = self._limits["heartbeat_seconds"]
        end = time.monotonic() + self._limits["session_seconds"] * random.uniform(0.75, 1)
        due = 0.0
        while True:
            if time.monotonic() >= due:
                due = time.monotonic() + seconds
                await self.send(lambda: self.wire.heartbeat(self._heartbeat()))
            await asyncio.sleep(min(1.0, seconds / 4))
            if time.monotonic() - self._heard > MISSING * seconds:
                raise ProtocolError("heartbeats missing", 4404)
            if time.monotonic() > end:
                raise ProtocolError("the session is old", 4406)

    def _heartbeat(self) -> dict[str, Any]:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return {"sent_at": now(), "policy_generation": 0, "load": min(65535, int(os.getloadavg()[0] * 100)), "cpu": 0, "memory": 0,
                "retained": min(0xFFFFFFFF, self.store.retained()), "lanes": min(65535, len(self.store.lanes("committed < count"))),
                "modules": [{"name": "core", "state": "running", "rss_kib": pages * 4, "cpu_permille": 0, "restarts": 0}]}


class Enrolment(Link):
    """A session of mode enrol (section 11)."""

    async def run(self, token: str, secret: bytes) -> dict[str, Any]:
        """The answer of the registry."""
        await self.connect(ENROL)
        host = socket.gethostname()
        key = SigningKey(expand(secret, b"streams/1 enrolment key" + token.encode(), 32))
        signature = key.sign("enrolment", block(token, 1) + self.trust.key.public + block(host, 1))
        document = {"enroll": {"token": token, "signature": to_base64url(signature), "host": host}}
        await self.send(lambda: self.wire.message("request", "agent.registry", "enroll-1", document))
        while True:
            received = self.wire.open(await asyncio.wait_for(self.socket.recv(), 10))
            if received.kind == "message" and received.fields["id"] == "enroll-1" and not received.fields["fault"]:
                await self.close(1000)
                return loads(received.fields["payload"])
            if received.kind in ("error", "goodbye"):
                raise ProtocolError(f"enrolment: {received.fields}")
