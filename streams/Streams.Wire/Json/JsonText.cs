using System.Text;

namespace Streams.Wire.Json;

/// <summary>A name that a peer chose, as far as an error may repeat it.</summary>
public static class JsonText
{
    private const int MaxName = 32;

    public static string Name(ReadOnlySpan<byte> name)
    {
        Span<byte> shown = stackalloc byte[MaxName];
        name = name[..Math.Min(name.Length, MaxName)];
        for (var i = 0; i < name.Length; i++)
        {
            shown[i] = name[i] is > 0x20 and < 0x7f ? name[i] : (byte)'?';
        }

        return Encoding.ASCII.GetString(shown[..name.Length]);
    }
}
