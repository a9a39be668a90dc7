using System.Text;

namespace Streams.Wire;

/// <summary>
/// Agent ids and gateway names match <c>[a-z0-9][a-z0-9-]{0,62}</c>: they are used as NATS subject tokens, KV keys and file names,
/// so nothing that any of those treats specially may occur.
/// </summary>
public static class AgentId
{
    public static bool IsValid(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty || utf8.Length > Limits.MaxNameBytes || utf8[0] == (byte)'-')
        {
            return false;
        }

        foreach (var b in utf8)
        {
            if (b is not ((>= (byte)'a' and <= (byte)'z') or (>= (byte)'0' and <= (byte)'9') or (byte)'-'))
            {
                return false;
            }
        }

        return true;
    }

    public static bool IsValid(string? text)
    {
        if (string.IsNullOrEmpty(text) || text.Length > Limits.MaxNameBytes)
        {
            return false;
        }

        Span<byte> utf8 = stackalloc byte[Limits.MaxNameBytes];
        return Encoding.UTF8.TryGetBytes(text, utf8, out var written) && written == text.Length && IsValid(utf8[..written]);
    }
}
