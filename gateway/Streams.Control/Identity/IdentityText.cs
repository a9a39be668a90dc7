using System.Text;

namespace Streams.Control.Identity;

/// <summary>Names that come from a peer and end in rows, logs and terminals.</summary>
public static class IdentityText
{
    /// <summary>1 to 255 bytes of UTF-8 without control characters.</summary>
    public static bool IsHost(string? host)
    {
        if (string.IsNullOrEmpty(host) || host.Length > IdentityLimits.MaxHostBytes || Encoding.UTF8.GetByteCount(host) > IdentityLimits.MaxHostBytes)
        {
            return false;
        }

        for (var i = 0; i < host.Length; i++)
        {
            if (char.IsControl(host[i]) || (char.IsSurrogate(host[i]) && !IsPair(host, ref i)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsPair(string text, ref int at) => at + 1 < text.Length && char.IsSurrogatePair(text[at], text[++at]);
}
