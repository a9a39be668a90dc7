"""Proofs: digest of a batch, chain of a lane, signed checkpoint (PROTOCOL.md, section 13); little-endian."""

from __future__ import annotations

import struct
from typing import Any

from batch import CLASSES, COLUMNS, USER_SPACE, values
from primitives import SigningKey, now, sha256
from store import Batch, LaneState


def short(epoch: bytes) -> int:
    """An epoch as the columns of the tables have it."""
    return int.from_bytes(epoch[:8], "big")


def digest(batch: Batch) -> bytes:
    """d_n: over every column of the schema version in the order of ids; what the batch leaves out has its default."""
    data = b"streams/1 batch digest\0" + struct.pack("<QIIHHQI", short(batch.epoch), batch.lane, batch.n, CLASSES[batch.cls], 1, short(batch.epoch), batch.rows)
    events = batch.events
    for name, number, kind in sorted(COLUMNS[batch.cls], key=lambda column: column[1]):
        code, column = values(kind, [event.get(name, "" if kind in ("text", "key", "octets") else 0) for event in events])
        data += struct.pack("<HB", number, code) + column
    return sha256(data)


def rows(key: SigningKey, lane: LaneState, chain: bytes, digests: list[bytes], restart: bool) -> tuple[list[dict[str, Any]], bytes]:
    """Rows of batch_proof for the lane's batches from `lane.proven` on, the last one with the checkpoint; and the chain after them."""
    before, out = chain, []
    for offset, value in enumerate(digests):
        n = lane.proven + offset
        chain = sha256(chain + struct.pack("<I", n) + value)
        out.append({"time": now(), "cpu": USER_SPACE, "proven_epoch": short(lane.epoch), "proven_lane": lane.lane, "proven_batch": n,
                    "digest": value.decode("latin-1"), "chain": chain.decode("latin-1"), "from_batch": 0, "signature": "", "restart": restart})
    last = lane.proven + len(digests) - 1
    signed = struct.pack("<QIII", short(lane.epoch), lane.lane, lane.proven, last) + before + chain + sha256(b"".join(digests))
    out[-1] |= {"from_batch": lane.proven, "signature": key.sign("batch proof", signed).decode("latin-1")}
    return out, chain
