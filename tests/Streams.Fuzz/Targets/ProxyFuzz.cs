using System.Buffers;
using Streams.Gateway.Connections;

namespace Streams.Fuzz.Targets;

/// <summary>The PROXY header: however it is cut into pieces it says the same, and a part of it says nothing yet.</summary>
internal sealed class ProxyFuzz : FuzzTarget
{
    private static readonly byte[] Binary = [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 0x12, 0x34, 0x1f, 0x90];

    public override string Name => "proxy";

    public override int MaxBytes => 1200;

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Utf8("PROXY TCP4 192.0.2.1 192.0.2.2 4660 8080\r\n");
        yield return Utf8("PROXY TCP6 2001:db8::1 2001:db8::2 4660 8080\r\nGET");
        yield return Utf8("PROXY UNKNOWN\r\n");
        yield return Binary;
        yield return [.. Binary.AsSpan(0, 12), 0x20, 0, 0, 0];
        yield return [.. Binary.AsSpan(0, 13), 0x21, 0, 36, .. new byte[36]];
    }

    public override IReadOnlyList<byte[]> Words { get; } =
        ["PROXY "u8.ToArray(), "TCP4"u8.ToArray(), "TCP6"u8.ToArray(), "UNKNOWN"u8.ToArray(), "\r\n"u8.ToArray(), Binary[..12]];

    public override int Run(ReadOnlySpan<byte> input)
    {
        var whole = input.ToArray();
        var state = ProxyHeader.Read(new ReadOnlySequence<byte>(whole), out var length, out var source);
        Must(length >= 0 && length <= whole.Length && (state != ProxyHeaderState.Complete || length > 0), "the length is no length");
        foreach (var cut in new[] { 1, whole.Length / 2, Math.Max(0, whole.Length - 1) })
        {
            if (cut > whole.Length)
            {
                continue;
            }

            Must(ProxyHeader.Read(Pieces.InTwo(whole, cut), out var again, out var same) == state && again == length && Equals(same, source), "cut in two it says something else");
            if (state == ProxyHeaderState.Complete && cut < length)
            {
                Must(ProxyHeader.Read(new ReadOnlySequence<byte>(whole, 0, cut), out _, out _) == ProxyHeaderState.Incomplete, "a part is a header");
            }
        }

        return ((int)state * 4) + (source is null ? 0 : (int)source.AddressFamily);
    }
}
