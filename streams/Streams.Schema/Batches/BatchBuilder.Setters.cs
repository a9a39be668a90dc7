using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Streams.Schema;

public sealed partial class BatchBuilder
{
    // ::ffff:0:0 up to the four bytes of the IPv4 address.
    private static readonly Vector128<byte> MappedPrefix =
        Vector128.Create(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0).AsByte();

    /// <summary>Sets the five claim columns at once.</summary>
    /// <param name="time">Microseconds since 1970.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetClaim(long time, ulong seq, ushort cpu, ulong policyGeneration, uint flags)
    {
        SetTime(ClaimColumns.Time, time);
        SetUInt64(ClaimColumns.Seq, seq);
        SetUInt16(ClaimColumns.Cpu, cpu);
        SetUInt64(ClaimColumns.PolicyGeneration, policyGeneration);
        SetUInt32(ClaimColumns.Flags, flags);
    }

    public void SetUInt8(int ordinal, byte value) => Take(ordinal, ColumnType.UInt8).Write(_rows, value);

    public void SetUInt16(int ordinal, ushort value) => Take(ordinal, ColumnType.UInt16).Write(_rows, value);

    public void SetUInt32(int ordinal, uint value) => Take(ordinal, ColumnType.UInt32).Write(_rows, value);

    public void SetUInt64(int ordinal, ulong value) => Take(ordinal, ColumnType.UInt64).Write(_rows, value);

    public void SetInt8(int ordinal, sbyte value) => Take(ordinal, ColumnType.Int8).Write(_rows, value);

    public void SetInt16(int ordinal, short value) => Take(ordinal, ColumnType.Int16).Write(_rows, value);

    public void SetInt32(int ordinal, int value) => Take(ordinal, ColumnType.Int32).Write(_rows, value);

    public void SetInt64(int ordinal, long value) => Take(ordinal, ColumnType.Int64).Write(_rows, value);

    public void SetFloat64(int ordinal, double value) => Take(ordinal, ColumnType.Float64).Write(_rows, value);

    public void SetBool(int ordinal, bool value) => Take(ordinal, ColumnType.Bool).Write(_rows, value ? (byte)1 : (byte)0);

    /// <param name="value">Microseconds since 1970.</param>
    public void SetTime(int ordinal, long value) => Take(ordinal, ColumnType.DateTime64Micro).Write(_rows, value);

    /// <param name="value">The address as a number: 127.0.0.1 is 0x7f000001.</param>
    public void SetIPv4(int ordinal, uint value) => Take(ordinal, ColumnType.IPv4).Write(_rows, value);

    /// <param name="value">16 bytes in network order, or 4 for an IPv4 address, which is mapped.</param>
    public void SetIPv6(int ordinal, ReadOnlySpan<byte> value)
    {
        if (value.Length is not (16 or 4))
        {
            throw new ArgumentException("an address has 16 or 4 bytes", nameof(value));
        }

        var column = Take(ordinal, ColumnType.IPv6);
        if (value.Length == 16)
        {
            column.WriteBytes(_rows, value);
            return;
        }

        column.Write(_rows, MappedPrefix.AsUInt32().WithElement(3, Unsafe.ReadUnaligned<uint>(in value[0])));
    }

    /// <summary>Sets a String column. False: longer than <see cref="Limits.MaxStringBytes"/> or the body would pass 4 MiB; it stays unset.</summary>
    public bool TrySetString(int ordinal, ReadOnlySpan<byte> value)
    {
        if (!StringFits(value.Length))
        {
            return false;
        }

        _variableBytes += Take(ordinal, ColumnType.String).AppendString(value);
        return true;
    }

    /// <summary>Sets a Dictionary column. False: longer than <see cref="Limits.MaxStringBytes"/> or the body would pass 4 MiB; it stays unset.</summary>
    public bool TrySetDictionary(int ordinal, ReadOnlySpan<byte> value)
    {
        if (!StringFits(value.Length))
        {
            return false;
        }

        var column = Take(ordinal, ColumnType.Dictionary);
        var keys = column.Keys!;
        var before = keys.Encoded.Length;
        column.Write(_rows, (uint)keys.Intern(value));
        _variableBytes += keys.Encoded.Length - before;
        return true;
    }

    // The reservation of TryBeginRow is a promise of the caller; this bound holds also when it is broken.
    private bool StringFits(int length) =>
        length <= Limits.MaxStringBytes
        && EstimatedBytes + (long)_fixedRowBytes + _stringOverhead + length <= Math.Max(_maxBytes, Limits.MaxDecodedBytes);
}
