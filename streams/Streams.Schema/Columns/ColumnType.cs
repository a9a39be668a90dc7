namespace Streams.Schema;

/// <summary>Physical type of a column. The numbers are on the wire and on disk: append only, never reused.</summary>
public enum ColumnType : byte
{
    UInt8 = 1,
    UInt16 = 2,
    UInt32 = 3,
    UInt64 = 4,
    Int8 = 5,
    Int16 = 6,
    Int32 = 7,
    Int64 = 8,
    Float64 = 9,

    /// <summary>Microseconds since 1970-01-01 UTC as Int64.</summary>
    DateTime64Micro = 10,

    /// <summary>The address as a little-endian UInt32 (127.0.0.1 is 0x7f000001).</summary>
    IPv4 = 11,

    /// <summary>16 bytes in network order; an IPv4 address is mapped, ::ffff:a.b.c.d.</summary>
    IPv6 = 12,

    /// <summary>Per row a varuint length and that many bytes.</summary>
    String = 13,

    /// <summary>Keys once (key 0 is the empty string), then narrow indices.</summary>
    Dictionary = 14,

    /// <summary>One byte, 0 or 1.</summary>
    Bool = 15,
}
