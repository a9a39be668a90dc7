"""The binary form of a batch (PROTOCOL.md, section 6), made of the same rows that the JSON profile sends; little-endian."""

from __future__ import annotations

import struct
from typing import Any, Final

from store import Batch

EVENT, METRIC = 3, 4
CLASSES: Final = {"process_exec": 1, "ledger_barrier": 32, "batch_proof": 33}
PRIORITIES: Final = {"process_exec": EVENT, "ledger_barrier": EVENT, "batch_proof": METRIC}
CAUSES: Final = {"spool_evicted": 6, "spool_corrupt": 7, "server_lost": 9}
USER_SPACE: Final = 65535

_FIXED: Final = {"u8": (1, "B"), "u16": (2, "H"), "u32": (3, "I"), "u64": (4, "Q"), "time": (10, "q"), "bool": (15, "B")}
_CLAIM: Final = (("time", 1, "time"), ("seq", 2, "u64"), ("cpu", 3, "u16"), ("policy_generation", 4, "u64"), ("flags", 5, "u32"))
COLUMNS: Final = {
    "process_exec": _CLAIM + (
        ("pid", 16, "u32"), ("ppid", 17, "u32"), ("uid", 18, "u32"), ("gid", 19, "u32"), ("cgroup_id", 20, "u64"), ("inode", 21, "u64"),
        ("comm", 22, "key"), ("filename", 23, "key"), ("argv", 24, "text"), ("argc", 25, "u16"), ("start_time", 26, "time")),
    "ledger_barrier": _CLAIM + (
        ("class", 16, "key"), ("barrier_cpu", 17, "u16"), ("stamped", 18, "u64"), ("filtered", 19, "u64"), ("missed", 20, "u64"), ("reason", 21, "key")),
    "batch_proof": _CLAIM + (
        ("proven_epoch", 16, "u64"), ("proven_lane", 17, "u32"), ("proven_batch", 18, "u32"), ("digest", 19, "octets"), ("chain", 20, "octets"),
        ("from_batch", 21, "u32"), ("signature", 22, "octets"), ("restart", 23, "bool")),
}
"""Columns of each class (docs/reference/classes.md): name, id, type. `octets` are strings of bytes, held as Latin-1."""


def varuint(value: int) -> bytes:
    """LEB128, as before every string."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def _string(text: str, coding: str = "utf-8") -> bytes:
    raw = text.encode(coding)
    return varuint(len(raw)) + raw


def _dictionary(values: list[str]) -> bytes:
    keys = [""] + sorted(set(values) - {""})
    index = {key: position for position, key in enumerate(keys)}
    width, form = (1, "B") if len(keys) <= 256 else (2, "H") if len(keys) <= 65536 else (4, "I")
    return (struct.pack("<I", len(keys)) + b"".join(map(_string, keys)) + bytes([width])
            + struct.pack(f"<{len(values)}{form}", *(index[value] for value in values)))


def values(kind: str, column: list[Any]) -> tuple[int, bytes]:
    """The number of a column's type and its values, one after the other."""
    if kind in ("text", "key", "octets"):
        return 14 if kind == "key" else 13, b"".join(_string(value, "latin-1" if kind == "octets" else "utf-8") for value in column)
    number, form = _FIXED[kind]
    return number, struct.pack(f"<{len(column)}{form}", *column)


def ledger_of(batch: Batch) -> list[dict[str, Any]]:
    """The ledger in the JSON profile's words: one entry, without gap; a tombstone has its former rows under `server_lost`."""
    if not batch.tombstone:
        return [{"cpu": USER_SPACE, "first": batch.first, "last": batch.last, "rows": batch.rows, "lost": {}}]
    return [{"cpu": USER_SPACE, "first": batch.first, "last": batch.last, "rows": 0, "lost": {"server_lost": batch.rows}}]


def encode(batch: Batch, catalogue: int) -> bytes:
    """The batch in bytes: header, ledger, stored body (not compressed). Deterministic, because a name has one content for ever."""
    events = [] if batch.tombstone else batch.events
    ledger = b""
    for entry in ledger_of(batch):
        lost = entry["lost"]
        ledger += struct.pack("<HHQQI", entry["cpu"], len(lost), entry["first"], entry["last"], entry["rows"])
        ledger += b"".join(struct.pack("<HHQ", CAUSES[cause], 0, count) for cause, count in lost.items())
    table, body, columns = b"", b"", 0
    for name, number, kind in COLUMNS[batch.cls] if events else ():
        if name in events[0]:
            column = [event[name] for event in events]
            code, data = (14, _dictionary(column)) if kind == "key" else values(kind, column)
            table += struct.pack("<HBBI", number, code, 0, len(data))
            body += data
            columns += 1
    body = table + body
    header = struct.pack("<BBBBHH16sII16sIHHIIIIqH6s", 0xB1, 1, 0, PRIORITIES[batch.cls], CLASSES[batch.cls], 1, batch.epoch, batch.lane, batch.n,
                         batch.epoch, len(events), 1, columns, len(ledger), len(body), len(body), 0, 0, catalogue, bytes(6))
    assert len(header) == 88
    return header + ledger + body
