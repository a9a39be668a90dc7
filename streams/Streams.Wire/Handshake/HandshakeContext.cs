using System.Text;
using Streams.Wire.Messages;

namespace Streams.Wire.Handshake;

/// <summary>
/// What the unauthenticated upgrade request said. Both ends hash it into the transcript, so that an attacker who changes the offer (to
/// force another
/// subprotocol) or the path breaks the handshake.
/// </summary>
/// <param name="OfferedSubprotocols">Value of the one Sec-WebSocket-Protocol header of the request, exactly as sent. More than one such
/// header is refused.</param>
/// <param name="SelectedSubprotocol">Value of that header in the response.</param>
/// <param name="RequestPath">Request target, exactly as sent.</param>
public sealed record HandshakeContext(string OfferedSubprotocols, string SelectedSubprotocol, string RequestPath)
{
    private static ReadOnlySpan<byte> Label => "streams/1"u8;

    /// <summary>What a <c>streams.v1.bin</c> agent sends and must see.</summary>
    public static HandshakeContext Binary { get; } = new(Protocol.BinarySubprotocol, Protocol.BinarySubprotocol, Protocol.Path);

    /// <summary>What a <c>streams.v1.json</c> agent sends and must see.</summary>
    public static HandshakeContext Json { get; } = new(Protocol.JsonSubprotocol, Protocol.JsonSubprotocol, Protocol.Path);

    /// <summary>Our own choice from an offer (comma-separated, RFC 6455): the binary subprotocol if it is there, else the JSON one, else nothing.</summary>
    public static string? Select(string? offered)
    {
        if (string.IsNullOrEmpty(offered) || offered.Length > Limits.MaxPrologueTextBytes)
        {
            return null;
        }

        string? selected = null;
        foreach (var range in offered.AsSpan().Split(','))
        {
            var name = offered.AsSpan(range).Trim();
            if (name.SequenceEqual(Protocol.BinarySubprotocol))
            {
                return Protocol.BinarySubprotocol;
            }

            selected = name.SequenceEqual(Protocol.JsonSubprotocol) ? Protocol.JsonSubprotocol : selected;
        }

        return selected;
    }

    internal RefusalReason Check()
    {
        if (OfferedSubprotocols.Length > Limits.MaxPrologueTextBytes || RequestPath.Length > Limits.MaxPrologueTextBytes ||
            !Ascii.IsValid(OfferedSubprotocols) || !Ascii.IsValid(RequestPath))
        {
            return RefusalReason.Malformed;
        }

        return Select(OfferedSubprotocols) == SelectedSubprotocol ? RefusalReason.None : RefusalReason.Subprotocol;
    }

    internal byte[] Prologue()
    {
        var prologue = new byte[1 + Label.Length + 2 + OfferedSubprotocols.Length + 1 + SelectedSubprotocol.Length + 2 + RequestPath.Length];
        var writer = new WireWriter(prologue);
        writer.Str8(Label);
        writer.Str16(Encoding.ASCII.GetBytes(OfferedSubprotocols));
        writer.Str8(Encoding.ASCII.GetBytes(SelectedSubprotocol));
        writer.Str16(Encoding.ASCII.GetBytes(RequestPath));
        return prologue;
    }
}
