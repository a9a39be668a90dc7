namespace Streams.Schema;

/// <summary>Why bytes are not an acceptable batch; also a bounded label of metrics.</summary>
public enum BatchErrorKind : byte
{
    None = 0,

    /// <summary>Not corrupt: the class is not in this build's catalogue. Hold it, never reject it.</summary>
    UnknownClass,

    /// <summary>Not corrupt: a format version that this build cannot read. Hold it, never reject it.</summary>
    UnknownVersion,

    /// <summary>Not corrupt: an encoding of a column that this build cannot read. Hold it, never reject it.</summary>
    UnknownEncoding,
    Truncated,
    BadMagic,
    BadCompression,
    BadPriority,
    ReservedNotZero,
    ZeroEpoch,
    TooManyRows,
    TooManyColumns,
    TooManyLedgerEntries,
    NoLedgerEntry,
    LedgerLength,
    LedgerCauses,
    LedgerUnbalanced,
    LedgerRows,
    DecodedLength,
    StoredLength,
    WrongLength,
    Decompression,
    ColumnType,
    ColumnLength,
    ColumnRepeated,
    ColumnEncoding,
    StringLength,
    DictionaryKeys,
    DictionaryIndexWidth,
    DictionaryIndex,
    BoolValue,
}
