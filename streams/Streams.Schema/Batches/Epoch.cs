using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Streams.Schema;

/// <summary>128 random bits drawn at every start of an agent process (or of a sensor instance). Printed as 32 hex digits.</summary>
public readonly struct Epoch : IEquatable<Epoch>
{
    public const int Size = 16;

    private readonly ulong _high;
    private readonly ulong _low;

    private Epoch(ulong high, ulong low)
    {
        _high = high;
        _low = low;
    }

    /// <summary>The first 8 bytes, big-endian: the value of the columns <c>epoch</c> and <c>sensor_epoch</c>.</summary>
    public ulong Prefix => _high;

    /// <summary>The last 8 bytes, big-endian.</summary>
    public ulong Suffix => _low;

    /// <summary>True for the value that no producer may use.</summary>
    public bool IsZero => (_high | _low) == 0;

    /// <summary>
    /// A new epoch from the operating system's random source. Through Guid, whose 12 free bytes come from getrandom(2), because
    /// RandomNumberGenerator would load OpenSSL into the agent.
    /// </summary>
    public static Epoch NewRandom()
    {
        Span<byte> a = stackalloc byte[16];
        Span<byte> b = stackalloc byte[16];
        do
        {
            Guid.NewGuid().TryWriteBytes(a);
            Guid.NewGuid().TryWriteBytes(b);
            // Bytes 6-9 hold the version and variant bits of a GUID; replace them, the rest is random already.
            b[10..14].CopyTo(a[6..10]);
        }
        while (Read(a).IsZero);
        return Read(a);
    }

    /// <summary>The epoch with this <see cref="Prefix"/> and <see cref="Suffix"/>.</summary>
    public static Epoch FromHalves(ulong prefix, ulong suffix) => new(prefix, suffix);

    /// <summary>Reads 16 bytes.</summary>
    public static Epoch Read(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(source), BinaryPrimitives.ReadUInt64BigEndian(source[8..]));

    /// <summary>Writes 16 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
    }

    /// <summary>Parses exactly 32 hex digits.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Epoch epoch)
    {
        epoch = default;
        if (text.Length != 32
            || !ulong.TryParse(text[..16], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            || !ulong.TryParse(text[16..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low))
        {
            return false;
        }

        epoch = new Epoch(high, low);
        return true;
    }

    public bool Equals(Epoch other) => _high == other._high && _low == other._low;

    public override bool Equals([NotNullWhen(true)] object? obj) => obj is Epoch other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_high, _low);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{_high:x16}{_low:x16}");

    public static bool operator ==(Epoch left, Epoch right) => left.Equals(right);

    public static bool operator !=(Epoch left, Epoch right) => !left.Equals(right);
}
