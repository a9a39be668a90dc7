using System.Text;

namespace Streams.Wire.Messages;

/// <summary>
/// Ready (1), agent to gateway, the first sealed frame: <c>generation u64 (as in F0) ‖ catalogue_version u16 ‖ agent_version str8 ‖ host
/// str8</c>. Its tag is
/// the key confirmation; only now may the gateway displace an older session.
/// </summary>
/// <param name="AgentVersion">UTF-8, at most 64 bytes.</param>
/// <param name="Host">The host's name as the agent sees it, UTF-8, at most 255 bytes; a claim.</param>
public sealed record ReadyMessage(ulong Generation, ushort CatalogueVersion, string AgentVersion, string Host)
{
    /// <summary>Room that any ready message fits in.</summary>
    public const int MaxBytes = 8 + 2 + 1 + Limits.MaxVersionTextBytes + 1 + Limits.MaxHostNameBytes;

    /// <returns>Length of the payload.</returns>
    public int Write(Span<byte> destination)
    {
        var version = Encoding.UTF8.GetBytes(AgentVersion);
        var host = Encoding.UTF8.GetBytes(Host);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(version.Length, Limits.MaxVersionTextBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(host.Length, Limits.MaxHostNameBytes);
        var writer = new WireWriter(destination);
        writer.U64(Generation);
        writer.U16(CatalogueVersion);
        writer.Str8(version);
        writer.Str8(host);
        return writer.Position;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out ReadyMessage? message)
    {
        message = null;
        var reader = new WireReader(payload);
        var generation = reader.U64();
        var catalogue = reader.U16();
        var version = reader.Str8(Limits.MaxVersionTextBytes);
        var host = reader.Str8(Limits.MaxHostNameBytes);
        if (!reader.AtEnd || !WireText.IsClean(version) || !WireText.IsClean(host))
        {
            return false;
        }

        message = new ReadyMessage(generation, catalogue, Encoding.UTF8.GetString(version), Encoding.UTF8.GetString(host));
        return true;
    }
}
