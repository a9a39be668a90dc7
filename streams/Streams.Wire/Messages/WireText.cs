using System.Text.Unicode;

namespace Streams.Wire.Messages;

/// <summary>Text from the wire ends in logs, headers and tables: valid UTF-8 without control characters, or the message is
/// refused.</summary>
internal static class WireText
{
    internal static bool IsClean(ReadOnlySpan<byte> utf8) => !utf8.ContainsAnyInRange((byte)0, (byte)0x1f) && !utf8.Contains((byte)0x7f) && Utf8.IsValid(utf8);
}
