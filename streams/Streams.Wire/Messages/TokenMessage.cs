namespace Streams.Wire.Messages;

/// <summary>Token (72), gateway to agent: <c>token str16</c>, the session token from now on; the one before it stays good until it expires.</summary>
public static class TokenMessage
{
    public const int MaxBytes = 2 + Limits.MaxTokenBytes;

    /// <returns>Length of the payload.</returns>
    public static int Write(ReadOnlySpan<byte> token, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfZero(token.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(token.Length, Limits.MaxTokenBytes);
        var writer = new WireWriter(destination);
        writer.Str16(token);
        return writer.Position;
    }

    /// <param name="token">A part of the payload.</param>
    public static bool TryRead(ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> token)
    {
        var reader = new WireReader(payload);
        token = reader.Str16(Limits.MaxTokenBytes);
        return reader.AtEnd && !token.IsEmpty && IsToken(token);
    }

    /// <summary>A token goes into headers and JSON: visible ASCII only. Empty is a token that is not there.</summary>
    internal static bool IsToken(ReadOnlySpan<byte> token) => !token.ContainsAnyExceptInRange((byte)'!', (byte)'~');
}
