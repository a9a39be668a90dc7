namespace Streams.Schema;

/// <summary>How the bytes of a column are laid out before compression (PROTOCOL.md, section 6). On the wire: append only.</summary>
internal enum ColumnEncoding : byte
{
    /// <summary>The values one after the other.</summary>
    Plain = 0,

    /// <summary>Fixed width of 2 bytes or more: the lowest byte of every row, then the next of every row.</summary>
    Planes = 1,

    /// <summary>2 to 8 bytes: the same of the difference to the row before, in zigzag, so that small steps down have zeros above them too.</summary>
    DeltaPlanes = 2,

    /// <summary>4 bytes or more: the distinct values, at most 256, and one byte per row.</summary>
    Table = 3,

    /// <summary>String: the words between NUL bytes once, and two bytes for each word of a row.</summary>
    Words = 4,
}
