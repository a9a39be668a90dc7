"""What outlives the process: identity, connect counter, batches until a watermark covers them, and the journal of commands (PROTOCOL.md, sections 2, 6, 11, 12).

One SQLite file. Every change is durable before what depends on it is sent: a kill at any moment neither loses nor doubles an event.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

_SCHEMA = """
PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS value (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lane (position INTEGER PRIMARY KEY, epoch BLOB, lane INT, class TEXT, sealed INT DEFAULT 0, count INT DEFAULT 0,
    committed INT DEFAULT 0, proven INT DEFAULT 0, chain BLOB, UNIQUE (epoch, lane));
CREATE TABLE IF NOT EXISTS batch (epoch BLOB, lane INT, n INT, class TEXT, first INT, last INT, rows INT, events TEXT, digest BLOB, lost INT DEFAULT 0, PRIMARY KEY (epoch, lane, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS command (id TEXT PRIMARY KEY, digest TEXT, deadline INT, state TEXT, detail TEXT, result TEXT) WITHOUT ROWID;
"""


@dataclass
class Batch:
    """A named batch; `events` is empty once it was freed, and it is then a tombstone."""

    epoch: bytes
    lane: int
    n: int
    cls: str
    first: int
    last: int
    rows: int
    text: str | None

    @property
    def tombstone(self) -> bool:
        """Whether its rows are gone."""
        return self.text is None

    @property
    def events(self) -> list[dict[str, Any]]:
        """The rows, by the names of their columns."""
        return json.loads(self.text or "[]")


@dataclass
class LaneState:
    """A lane as it is stored: batches named, and batches known to be rows."""

    epoch: bytes
    lane: int
    cls: str
    sealed: bool
    count: int
    committed: int
    proven: int


class Store:
    """The state of one agent in one directory, held by one process."""

    def __init__(self, directory: Path, digest: Callable[[Batch], bytes]) -> None:
        self._digest = digest
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = directory / "agent.sqlite"
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.executescript(_SCHEMA)
        self.epoch = secrets.token_bytes(16)
        self._db.execute("UPDATE lane SET sealed = 1")

    def close(self) -> None:
        """Gives the directory free."""
        self._db.close()

    def get(self, name: str, default: Any = None) -> Any:
        """A single value."""
        row = self._db.execute("SELECT value FROM value WHERE name = ?", (name,)).fetchone()
        return default if row is None else row[0]

    def put(self, name: str, value: Any) -> None:
        """Keeps a single value."""
        self._db.execute("INSERT OR REPLACE INTO value VALUES (?, ?)", (name, value))

    def connect_counter(self) -> int:
        """The next connect_counter, durable before it is used (section 2)."""
        counter = self.get("connect_counter", 0) + 1
        self.put("connect_counter", counter)
        return counter

    def append(self, cls: str, make: Callable[[int, int], list[dict[str, Any]]], epoch: bytes | None = None) -> None:
        """Seals the next batch of a class: `make(first seq, events produced so far)` gives its rows. One transaction.

        `epoch` is that of a process which ended, when its successor says the last word about it in a lane of its own."""
        epoch = epoch or self.epoch
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._append(epoch, cls, make)
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def _append(self, epoch: bytes, cls: str, make: Callable[[int, int], list[dict[str, Any]]]) -> None:
        lane = self._open_lane(epoch, cls)
        first = 1 + (self._db.execute("SELECT max(last) FROM batch WHERE epoch = ? AND class = ?", (epoch, cls)).fetchone()[0] or 0)
        events = make(first, self.get("produced", 0))
        text = json.dumps(events, separators=(",", ":"))
        batch = Batch(epoch, lane.lane, lane.count, cls, first, first + len(events) - 1, len(events), text)
        self._db.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)", (
            epoch, lane.lane, lane.count, cls, batch.first, batch.last, batch.rows, text, self._digest(batch)))
        self._db.execute("UPDATE lane SET count = count + 1 WHERE epoch = ? AND lane = ?", (epoch, lane.lane))
        if cls == "process_exec":
            self.put("produced", self.get("produced", 0) + len(events))

    def unproven(self) -> int:
        """Batches without proof; those of proofs wait for the next time."""
        return self._db.execute("SELECT coalesce(sum(count - proven), 0) FROM lane WHERE class <> 'batch_proof'").fetchone()[0]

    def prove(self, make: Callable[[LaneState, bytes, list[bytes], bool], tuple[list[dict[str, Any]], bytes]]) -> None:
        """Seals a batch of proofs for all batches that have none; in one transaction with how far the lanes are proven."""
        def rows(first: int, _: int) -> list[dict[str, Any]]:
            out: list[dict[str, Any]] = []
            for lane in self.lanes("proven < count"):
                key, restart = (lane.epoch, lane.lane), lane.epoch != self.epoch
                chain = self._db.execute("SELECT chain FROM lane WHERE epoch = ? AND lane = ?", key).fetchone()[0]
                digests = [row[0] for row in self._db.execute("SELECT digest FROM batch WHERE epoch = ? AND lane = ? AND n >= ? ORDER BY n", (*key, lane.proven))]
                made, chain = make(lane, chain if chain and not restart else bytes(32), digests, restart)
                self._db.execute("UPDATE lane SET proven = count, chain = ? WHERE epoch = ? AND lane = ?", (chain, *key))
                out += made
            return [row | {"seq": first + offset} for offset, row in enumerate(out)]
        self.append("batch_proof", rows)

    def _open_lane(self, epoch: bytes, cls: str) -> LaneState:
        for lane in self.lanes("epoch = ? AND class = ? AND NOT sealed", (epoch, cls)):
            return lane
        number = self._db.execute("SELECT count(*) FROM lane WHERE epoch = ?", (epoch,)).fetchone()[0]
        self._db.execute("INSERT INTO lane (epoch, lane, class) VALUES (?, ?, ?)", (epoch, number, cls))
        return LaneState(epoch, number, cls, False, 0, 0, 0)

    def without_barrier(self) -> list[tuple[bytes, int]]:
        """Epochs that have events and no barrier after them, and how many events they have."""
        return self._db.execute("SELECT epoch, max(last) FROM batch WHERE class = 'process_exec' AND epoch NOT IN "
                                "(SELECT epoch FROM batch WHERE class = 'ledger_barrier') GROUP BY epoch").fetchall()

    def lanes(self, where: str = "1", arguments: tuple[Any, ...] = ()) -> list[LaneState]:
        """Lanes of all epochs, the oldest first."""
        rows = self._db.execute(f"SELECT epoch, lane, class, sealed, count, committed, proven FROM lane WHERE {where} ORDER BY position", arguments)
        return [LaneState(row[0], row[1], row[2], bool(row[3]), *row[4:]) for row in rows]

    def seal_lane(self, epoch: bytes, lane: int) -> None:
        """Live data go to another lane from now on (hold)."""
        self._db.execute("UPDATE lane SET sealed = 1 WHERE epoch = ? AND lane = ?", (epoch, lane))

    def seal_uncommitted(self) -> None:
        """What a disconnect does to lanes with uncommitted batches (section 6)."""
        self._db.execute("UPDATE lane SET sealed = 1 WHERE committed < count")

    def batch(self, epoch: bytes, lane: int, n: int) -> Batch:
        """A batch by its name."""
        return Batch(*self._db.execute("SELECT epoch, lane, n, class, first, last, rows, events FROM batch WHERE epoch = ? AND lane = ? AND n = ?", (epoch, lane, n)).fetchone())

    def commit(self, epoch: bytes, lane: int, committed: int) -> None:
        """A watermark covers the lane up to `committed`: those batches' rows are freed, their ledger is kept for a tombstone."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("UPDATE batch SET events = NULL WHERE epoch = ? AND lane = ? AND n < ? AND events IS NOT NULL", (epoch, lane, committed))
        self._db.execute("UPDATE lane SET committed = ? WHERE epoch = ? AND lane = ?", (committed, epoch, lane))
        self._db.execute("COMMIT")

    def rewound(self, epoch: bytes, lane: int, n: int) -> None:
        """The server needs the lane again from `n`: what it committed beyond counts anew, and what was freed is lost."""
        self._db.execute("UPDATE batch SET lost = 1 WHERE epoch = ? AND lane = ? AND n >= ? AND events IS NULL", (epoch, lane, n))
        self._db.execute("UPDATE lane SET committed = min(committed, ?) WHERE epoch = ? AND lane = ?", (n, epoch, lane))

    def committed_events(self) -> int:
        """Events whose batches a watermark covers, without those that the server lost afterwards."""
        return self._db.execute("SELECT coalesce(sum(b.rows), 0) FROM batch b JOIN lane l USING (epoch, lane) WHERE b.class = 'process_exec' AND b.n < l.committed AND NOT b.lost").fetchone()[0]

    def retained(self) -> int:
        """Bytes of batches that wait."""
        return self._db.execute("SELECT coalesce(sum(length(events)), 0) FROM batch WHERE events IS NOT NULL").fetchone()[0]

    def command(self, identifier: str) -> tuple[str, str, str, str] | None:
        """digest, state, detail and result of a remembered command."""
        return self._db.execute("SELECT digest, state, detail, result FROM command WHERE id = ?", (identifier,)).fetchone()

    def commands(self) -> int:
        """How many commands are remembered."""
        return self._db.execute("SELECT count(*) FROM command").fetchone()[0]

    def remember(self, identifier: str, digest: str, deadline: int, state: str, detail: str = "", result: str = "") -> None:
        """Writes a command's state into the journal."""
        self._db.execute("INSERT OR REPLACE INTO command VALUES (?, ?, ?, ?, ?, ?)", (identifier, digest, deadline, state, detail, result))

    def forget_commands(self, before: int) -> None:
        """Drops commands whose deadline was before."""
        self._db.execute("DELETE FROM command WHERE deadline < ?", (before,))
