"""Decodes batch-v1.bin and batch-v2.bin after PROTOCOL.md section 6 and compares them with the rows of batch-v1.json and batch-v2.json."""

import json
import struct

WIDTHS = {1: 1, 2: 2, 3: 4, 4: 8, 5: 1, 6: 2, 7: 4, 8: 8, 9: 8, 10: 8, 11: 4, 12: 16, 15: 1}
FORMATS = {1: "B", 2: "H", 3: "I", 4: "Q", 5: "b", 6: "h", 7: "i", 8: "q", 9: "d", 10: "q", 11: "I", 15: "B"}
STRING, DICTIONARY, IPV6 = 13, 14, 12


def lz4_block(data, size):
    """LZ4's block format: sequences of literals and a match, lengths of 15 continued in bytes of 255."""
    output, at = bytearray(), 0

    def length(nibble):
        nonlocal at
        total = nibble
        while nibble == 15:
            more = data[at]
            at += 1
            total += more
            if more != 255:
                break
        return total

    while at < len(data):
        token = data[at]
        at += 1
        literals = length(token >> 4)
        output += data[at:at + literals]
        at += literals
        if at == len(data):
            break
        offset = data[at] | data[at + 1] << 8
        at += 2
        count = length(token & 15) + 4
        if not 0 < offset <= len(output):
            raise ValueError("a match before the start")
        for _ in range(count):
            output.append(output[-offset])
    if len(output) != size:
        raise ValueError("another length than the header's")
    return bytes(output)


def varuint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def strings(data, at, count):
    values = []
    for _ in range(count):
        size, at = varuint(data, at)
        values.append(data[at:at + size])
        at += size
    return values, at


def column(kind, data, rows):
    if kind == STRING:
        values, at = strings(data, 0, rows)
    elif kind == DICTIONARY:
        count = struct.unpack_from("<I", data)[0]
        keys, at = strings(data, 4, count)
        width = data[at]
        indices = [int.from_bytes(data[at + 1 + i * width:at + 1 + (i + 1) * width], "little") for i in range(rows)]
        values, at = [keys[i] for i in indices], at + 1 + rows * width
        if keys[0] != b"":
            raise ValueError("key 0 is not the empty string")
    elif kind == IPV6:
        values, at = [data[i * 16:i * 16 + 16] for i in range(rows)], rows * 16
    else:
        values, at = list(struct.unpack(f"<{rows}{FORMATS[kind]}", data)), rows * WIDTHS[kind]
    if at != len(data):
        raise ValueError("bytes behind a column")
    return values


def planes(data, width, rows):
    return [int.from_bytes(data[row::rows], "little") for row in range(rows)] if len(data) == width * rows else []


def sums(values, bits):
    total, result = 0, []
    for value in values:
        total = (total + (value >> 1 ^ -(value & 1))) % (1 << bits)
        result.append(total)
    return result


def words(data, rows):
    plain, count, new = struct.unpack_from("<III", data)
    counts, at = [], 12
    for _ in range(rows):
        more, at = varuint(data, at)
        counts.append(more + 1)
    references = [low | high << 8 for low, high in zip(data[at:at + count], data[at + count:at + 2 * count])]
    at += 2 * count
    prefixes, at, lengths = data[at:at + new], at + new, []
    for _ in range(new):
        length, at = varuint(data, at)
        lengths.append(length)
    known, defined = [b"", b""], 0
    result = bytearray()
    for size in counts:
        row = []
        for reference in references[:size]:
            if reference == 0:
                if prefixes[defined] > len(known[-1]):
                    raise ValueError("a prefix longer than the word before")
                known.append(known[-1][:prefixes[defined]] + data[at:at + lengths[defined]])
                at += lengths[defined]
                defined += 1
            row.append(known[reference] if reference else known[-1])
        references = references[size:]
        text = b"\0".join(row)
        length = len(text)
        while length > 127:
            result.append(length & 127 | 128)
            length >>= 7
        result += bytes([length]) + text
    if (at, len(references), defined, len(result)) != (len(data), 0, new, plain):
        raise ValueError("lists of words of another length")
    return bytes(result)


def plain(encoding, kind, data, rows):
    """The column as format 1 has it."""
    if encoding == 0:
        return data
    if encoding == 4 and kind == STRING:
        return words(data, rows)
    width = WIDTHS[kind]
    if encoding == 3 and width >= 4:
        count = data[0] + 1
        table, indices = data[1:1 + count * width], data[1 + count * width:]
        if len(indices) != rows or max(indices) >= count:
            raise ValueError("an index without a value")
        return b"".join(table[index * width:(index + 1) * width] for index in indices)
    if encoding == 1 and width >= 2:
        values = planes(data, width, rows)
    elif encoding == 2 and 2 <= width <= 8:
        values = sums(planes(data, width, rows), width * 8)
    else:
        raise ValueError("an encoding of another type")
    return b"".join(value.to_bytes(width, "little") for value in values)


class Batch:
    """A batch's header, ledger and, where it can be read without a zstd library, columns by id."""

    def __init__(self, data, at):
        (magic, self.form, self.compression, self.priority, self.class_id, self.schema, self.epoch, self.lane, self.n, self.sensor_epoch, self.rows,
         entries, columns, ledger, decoded, stored, reserved, self.clock_offset, self.catalogue) = struct.unpack_from(
             "<BBBBHH16sII16sIHHIIIIqH", data, at)
        if (magic, reserved, data[at + 82:at + 88]) != (0xB1, 0, bytes(6)) or self.form not in (1, 2):
            raise ValueError("not a batch")
        self.ledger = self.read_ledger(data[at + 88:at + 88 + ledger], entries)
        start = at + 88 + ledger
        body = data[start:start + stored]
        self.end = start + stored
        self.columns, self.encodings = None, []
        if self.compression < 2:
            self.columns = self.read_columns(body if self.compression == 0 else lz4_block(body, decoded), columns)

    def read_ledger(self, data, entries):
        ledger, at = [], 0
        for _ in range(entries):
            cpu, count, first, last, rows = struct.unpack_from("<HHQQI", data, at)
            at += 24
            causes = {}
            for _ in range(count):
                cause, reserved, lost = struct.unpack_from("<HHQ", data, at)
                causes[cause] = lost
                at += 12
            if rows + sum(causes.values()) != last - first + 1:
                raise ValueError("the ledger does not balance")
            ledger.append((cpu, first, last, rows, causes))
        if at != len(data) or sum(entry[3] for entry in ledger) != self.rows:
            raise ValueError("the ledger is not of these rows")
        return ledger

    def read_columns(self, body, count):
        columns, at = {}, count * 8
        for i in range(count):
            column_id, kind, encoding, length = struct.unpack_from("<HBBI", body, i * 8)
            if encoding and self.form == 1:
                raise ValueError("an encoded column in format 1")
            self.encodings.append(encoding)
            columns[column_id] = (kind, column(kind, plain(encoding, kind, body[at:at + length], self.rows), self.rows))
            at += length
        if at != len(body):
            raise ValueError("bytes behind the columns")
        return columns


def expected_columns(rows):
    """Ids 1-5 are the claim columns, 16-30 one of every type (see "columns" in the file)."""
    signed = lambda value, bits: value - (1 << bits) if value >> (bits - 1) else value
    return {
        1: [r["time"] for r in rows], 2: [r["seq"] for r in rows], 3: [65535] * len(rows), 4: [r["u64"] for r in rows], 5: [r["u32"] for r in rows],
        16: [r["u8"] for r in rows], 17: [r["u16"] for r in rows], 18: [r["u32"] for r in rows], 19: [r["u64"] for r in rows],
        20: [signed(r["u8"], 8) for r in rows], 21: [signed(r["u16"], 16) for r in rows], 22: [signed(r["u32"], 32) for r in rows],
        23: [signed(r["u64"], 64) for r in rows], 24: [float(r["f64"]) for r in rows], 25: [r["time"] for r in rows],
        26: [r["u32"] for r in rows], 27: [struct.pack("<QQ", r["u64"], r["u64"] ^ (1 << 64) - 1) for r in rows],
        28: [bytes.fromhex(r["text_hex"]) for r in rows], 29: [bytes.fromhex(r["key_hex"]) for r in rows], 30: [r["u8"] % 2 for r in rows],
    }


def read(directory, name="batch-v1.bin"):
    data = (directory / name).read_bytes()
    batches, at = [], 0
    while at < len(data):
        batches.append(Batch(data, at))
        at = batches[-1].end
    return batches


def check_columns(batch, expected, compare):
    for column_id, values in expected.items():
        kind = column_id - 15 if column_id > 15 else {1: 10, 2: 4, 3: 2, 4: 4, 5: 3}[column_id]
        compare(f"column {column_id}", (kind, values), batch.columns[column_id])
    compare("columns", sorted(expected), sorted(batch.columns))


def check(directory, compare):
    rows = json.loads((directory / "batch-v1.json").read_text())["rows"]
    expected = expected_columns(rows)
    batches = read(directory)
    compare("batches", 3, len(batches))
    for n, batch in enumerate(batches):
        compare("name", (b"\x01" * 16, 7, n, n), (batch.epoch, batch.lane, batch.n, batch.compression))
        compare("header", (60000, 1, 3, b"\x02" * 16, 42, len(rows)),
                (batch.class_id, batch.schema, batch.priority, batch.sensor_epoch, batch.clock_offset, batch.rows))
        compare("ledger", [(65535, 1, 15, 12, {1: 2, 3: 1})], batch.ledger)
        if batch.columns is not None:
            check_columns(batch, expected, compare)
    return "headers, ledgers, every type of column (plain and LZ4)"


def check_encoded(directory, compare):
    description = json.loads((directory / "batch-v2.json").read_text())
    batches = read(directory, "batch-v2.bin")
    compare("formats", [(2, 1), (2, 2)], [(batch.form, batch.compression) for batch in batches])
    compare("encodings", description["encodings"], batches[0].encodings)
    compare("every encoding", {0, 1, 2, 3, 4}, set(batches[0].encodings))
    check_columns(batches[0], expected_columns(description["rows"]), compare)
    return "every encoding of a column (LZ4)"
