"""Batch digests and the chain of a lane, after PROTOCOL.md section 13."""

import hashlib
import json
import struct

import batch

DOMAIN = b"streams/1 batch digest\0"


def varuint(value):
    output = b""
    while value >= 0x80:
        output += bytes([value & 0x7f | 0x80])
        value >>= 7
    return output + bytes([value])


def encode(kind, value):
    if kind in (batch.STRING, batch.DICTIONARY):
        return varuint(len(value)) + value
    if kind == batch.IPV6:
        return value
    return struct.pack("<" + batch.FORMATS[kind], value)


def digest(of, columns):
    """d_n; `columns` by id, as (type, values)."""
    rows = len(next(iter(columns.values()))[1]) if columns else 0
    hashed = hashlib.sha256(DOMAIN + struct.pack("<QIIHHQI", int.from_bytes(of.epoch[:8], "big"), of.lane, of.n, of.class_id, of.schema,
                                                 int.from_bytes(of.sensor_epoch[:8], "big"), rows))
    for column_id in sorted(columns):
        kind, values = columns[column_id]
        hashed.update(struct.pack("<HB", column_id, kind))
        for value in values:
            hashed.update(encode(kind, value))
    return hashed.digest()


def check(directory, load, compare):
    """The three batches of batch-v1.bin as a lane, and the same batch as a tombstone; gives the checkpoint, which the agent signs."""
    v = load("digest-chain-v1.json")
    batches = batch.read(directory)
    rows = batches[0].columns
    chain, digests, before = bytes(32), b"", bytes(32)
    for n, of in enumerate(batches):
        # The body of the third is zstd; its rows are those of the first.
        d = digest(of, of.columns or rows)
        compare(f"digest_{n}", v[f"digest_{n}"], d)
        chain = hashlib.sha256(chain + struct.pack("<I", n) + d).digest()
        compare(f"chain_{n}", v[f"chain_{n}"], chain)
        digests += d
    compare("digest_tombstone_0", v["digest_tombstone_0"], digest(batches[0], {}))
    checkpoint = (struct.pack("<QIII", int.from_bytes(batches[0].epoch[:8], "big"), 7, 0, 2) + before + chain + hashlib.sha256(digests).digest())
    compare("checkpoint", v["checkpoint"], checkpoint)
    return checkpoint
