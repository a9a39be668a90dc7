#!/usr/bin/python3
"""An agent of Streams in another language, written from PROTOCOL.md alone: `enroll` makes an identity, `run` sends events and answers commands."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import websockets

import proof
from batch import USER_SPACE
from commands import Commands
from primitives import ProtocolError, from_base64url, now
from session import VERSION, Enrolment, Session, log
from store import Store
from trust import Trust
from wire import Wire
from wire_bin import BinWire
from wire_json import JsonWire

MOST_ROWS = 1000
WAITING, PROVE_BATCHES, PROVE_SECONDS = 32, 64, 10.0
WIRES: dict[str, type[BinWire] | type[JsonWire]] = {"json": JsonWire, "bin": BinWire}
FAILURES = (OSError, ProtocolError, asyncio.TimeoutError, websockets.exceptions.WebSocketException)


def rows(first: int, produced: int, count: int) -> list[dict[str, Any]]:
    """`count` rows of process_exec; `inode` numbers the events of the directory from 1."""
    time_now = now()
    return [{"time": time_now + i, "seq": first + i, "cpu": USER_SPACE, "pid": 1 + (produced + i) % 4_000_000, "inode": produced + i + 1,
             "comm": "stranger", "filename": "/usr/bin/stranger", "argv": f"stranger\0{produced + i + 1}", "argc": 2} for i in range(count)]


def barrier(first: int, stamped: int, reason: str) -> list[dict[str, Any]]:
    """A row of ledger_barrier: what this epoch stamped of process_exec."""
    return [{"time": now(), "seq": first, "cpu": USER_SPACE, "class": "process_exec", "barrier_cpu": USER_SPACE, "stamped": stamped,
             "filtered": 0, "missed": 0, "reason": reason}]


class Agent:
    """Events into the store, sessions until all of it is rows."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._store = Store(Path(arguments.directory), proof.digest)
        self._trust = Trust(self._store)
        if not self._trust.agent_id:
            raise SystemExit("streams_agent: not enrolled: run enroll first")
        self._commands = Commands(self._store, self._trust, self._status)
        self._changed, self._stopped = asyncio.Event(), asyncio.Event()
        self._session: Session | None = None
        self._proved = time.monotonic()
        self.sessions = 0

    def _status(self) -> dict[str, Any]:
        return {"agent_version": VERSION, "events": self._store.get("produced", 0), "committed": self._store.committed_events()}

    async def _produce(self) -> None:
        """Events up to --events in this directory, at most WAITING batches ahead of the watermark; barriers count them."""
        if self._store.get("encoding", self._arguments.encoding) != self._arguments.encoding:
            raise SystemExit("streams_agent: the batches of this directory are named in the other encoding")
        self._store.put("encoding", self._arguments.encoding)
        self._barriers()
        self._prove(True)
        while (left := self._arguments.events - self._store.get("produced", 0)) > 0:
            if sum(lane.count - lane.committed for lane in self._store.lanes("committed < count")) >= WAITING:
                await asyncio.sleep(0.05)
                continue
            count = min(left, self._arguments.batch)
            self._store.append("process_exec", lambda first, produced: rows(first, produced, count))
            if left <= count:
                self._barriers()
            self._prove(left <= count)
            if self._session:
                self._session.wake.set()
            await asyncio.sleep(count / self._arguments.rate if self._arguments.rate else 0)

    def _barriers(self) -> None:
        """Says of every epoch that makes no more events how many there were; also of those whose process was killed."""
        for epoch, stamped in [] if self._arguments.no_barrier else self._store.without_barrier():
            self._store.append("ledger_barrier", lambda first, _: barrier(first, stamped, "stop"), epoch)

    def _prove(self, last: bool) -> None:
        """A batch of proofs after 64 batches, 10 s, or at the end. Not in JSON, which has no form for strings of bytes."""
        unproven = self._store.unproven()
        if self._arguments.encoding == "bin" and unproven and (last or unproven >= PROVE_BATCHES or time.monotonic() - self._proved > PROVE_SECONDS):
            self._proved = time.monotonic()
            self._store.prove(lambda *lane: proof.rows(self._trust.key, *lane))

    def _complete(self) -> bool:
        return (self._store.get("produced", 0) >= self._arguments.events and not self._store.lanes("committed < count")
                and (self._commands.answered > 0 or not self._arguments.until_command))

    async def _connections(self) -> None:
        failures = 0
        while True:
            wire: Wire = WIRES[self._arguments.encoding](self._trust.key)
            self._session = session = Session(self._arguments.gateway, wire, self._trust, self._store, self._commands, self._changed)
            self.sessions += 1
            began, code, why = time.monotonic(), 1006, ""
            try:
                await session.run()
            except websockets.exceptions.ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
            except ProtocolError as error:
                code, why = error.code, str(error)
            except FAILURES as error:
                why = f"{type(error).__name__}: {error}"
            finally:
                await asyncio.shield(session.close(code if code >= 4000 else 1000))
            self._store.seal_uncommitted()
            failures = 0 if time.monotonic() - began > 30 else failures + 1
            wait = random.uniform(0, min(60.0, 0.5 * 2 ** failures))
            if session.retry_after:
                wait = min(session.retry_after / 1000, 3600) * random.uniform(1, 1.25)
            if code == 4406:
                wait = 0
            log(f"session ended: {code} {why}; next in {wait:.1f} s")
            await asyncio.sleep(wait)

    async def run(self) -> int:
        """Runs until all is committed (and a command answered), a signal, or --timeout; the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stopped.set)
        tasks = [asyncio.ensure_future(task) for task in (self._produce(), self._connections(), self._stopped.wait())]
        end = time.monotonic() + self._arguments.timeout
        while not self._complete() and not self._stopped.is_set() and time.monotonic() < end:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), 1)
            except asyncio.TimeoutError:
                pass
            for task in tasks[:2]:
                if task.done() and task.exception():
                    task.result()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        committed = self._store.committed_events()
        complete = committed == self._store.get("produced", 0) == self._arguments.events and not self._store.lanes("committed < count")
        result = {"agent": self._trust.agent_id, "events": self._store.get("produced", 0), "committed": committed,
                  "commands": self._commands.answered, "reconnects": max(0, self.sessions - 1)}
        print(json.dumps(result) if self._arguments.json else " ".join(f"{name}={value}" for name, value in result.items()), flush=True)
        self._store.close()
        return 0 if complete else 1


def enroll(arguments: argparse.Namespace) -> int:
    """Makes the key, pins the root of the token, and asks the registry for an identity."""
    token, secret, root = (arguments.token.split(".") + ["", ""])[:3]
    store = Store(Path(arguments.directory), proof.digest)
    trust = Trust(store)
    trust.pin([from_base64url(root)])
    link = Enrolment(arguments.gateway, WIRES[arguments.encoding](trust.key), trust, store)
    try:
        answer = asyncio.run(link.run(token, from_base64url(secret)))
    except FAILURES as error:
        raise SystemExit(f"streams_agent: enrolment failed: {type(error).__name__}: {error}") from None
    if answer["refused"] != "none":
        raise SystemExit(f"streams_agent: enrolment was refused: {answer['refused']}")
    trust.named(answer["agent_id"])
    print(json.dumps({"agent": answer["agent_id"], "serial": answer["serial"]}))
    store.close()
    return 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name in ("enroll", "run"):
        verb = verbs.add_parser(name)
        verb.add_argument("--gateway", required=True, help="for example ws://127.0.0.1:8080")
        verb.add_argument("--directory", required=True, help="where identity, batches and journal are")
        verb.add_argument("--encoding", choices=sorted(WIRES), default="bin")
    verbs.choices["enroll"].add_argument("--token", required=True)
    run = verbs.choices["run"]
    run.add_argument("--events", type=int, default=10_000, help="events of this directory in all; a later run goes on with what is missing")
    run.add_argument("--batch", type=int, default=500, help="rows of a batch")
    run.add_argument("--rate", type=float, default=0, help="events a second at most; 0 is as fast as it goes")
    run.add_argument("--until-command", action="store_true", help="stay until a command was answered")
    run.add_argument("--no-barrier", action="store_true", help="send no ledger_barrier")
    run.add_argument("--timeout", type=float, default=600, help="seconds after which to give up")
    run.add_argument("--json", action="store_true", help="print the result as one JSON object")
    arguments = parser.parse_args()
    if arguments.verb == "enroll":
        return enroll(arguments)
    if not 1 <= arguments.batch <= MOST_ROWS:
        parser.error(f"--batch is 1 to {MOST_ROWS}")

    async def begin() -> int:
        return await Agent(arguments).run()
    return asyncio.run(begin())


if __name__ == "__main__":
    sys.exit(main())
