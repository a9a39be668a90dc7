using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Streams.Wire.Crypto;

namespace Streams.Control.Commands;

/// <summary>The name of a command for ever: 128 random bits, as text 32 lower-case hex digits.</summary>
public readonly record struct CommandId(UInt128 Value)
{
    public const int Size = 16;
    public const int TextLength = 2 * Size;

    public static CommandId NewRandom()
    {
        Span<byte> bytes = stackalloc byte[Size];
        Entropy.Fill(bytes);
        return new CommandId(BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }

    public static bool TryParse([NotNullWhen(true)] string? text, out CommandId id)
    {
        id = default;
        if (text is not { Length: TextLength } || text.AsSpan().ContainsAnyExcept("0123456789abcdef")
            || !UInt128.TryParse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        id = new CommandId(value);
        return true;
    }

    public override string ToString() => Value.ToString("x32", CultureInfo.InvariantCulture);
}
