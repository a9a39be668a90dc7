using System.Text;

namespace Streams.Wire.Messages;

/// <summary>
/// Session, F0 (64), gateway to agent, the first sealed frame: <c>token str16 ‖ generation u64 ‖ gateway str8 ‖ catalogue_version u16 ‖
/// catalogue_digest 32 ‖ max_frame u32 ‖ max_open_lanes u16 ‖ heartbeat_seconds u16 ‖ session_seconds u32 ‖ watermarks (count u16,
/// entries) ‖ revocations str16</c>.
/// Credit is 0 in every class when it arrives.
/// </summary>
public sealed record SessionMessage
{
    private const int FixedBytes = 2 + 8 + 1 + 2 + 32 + 4 + 2 + 2 + 4 + 2 + 2;

    /// <summary>The session token; empty when this gateway gives none.</summary>
    public ReadOnlyMemory<byte> Token { get; init; }

    /// <summary>The session generation that `ready` will claim by compare-and-set.</summary>
    public required ulong Generation { get; init; }

    public required string Gateway { get; init; }

    public required ushort CatalogueVersion { get; init; }

    /// <summary>32 bytes.</summary>
    public required ReadOnlyMemory<byte> CatalogueDigest { get; init; }

    public int MaxFrameBytes { get; init; } = Limits.MaxFrameBytes;

    public int MaxOpenLanes { get; init; } = Limits.MaxOpenLanes;

    public int HeartbeatSeconds { get; init; } = Limits.DefaultHeartbeatSeconds;

    /// <summary>The agent starts a new handshake at the latest after this long.</summary>
    public int SessionSeconds { get; init; } = Limits.SessionSeconds;

    /// <summary>Committed state of every lane of this agent that is not closed.</summary>
    public required IReadOnlyList<LaneWatermark> Watermarks { get; init; }

    /// <summary>The signed list of revoked gateways (<see cref="Handshake.RevocationList"/>), unread; empty when the gateway has none.</summary>
    public ReadOnlyMemory<byte> Revocations { get; init; }

    public int Length => FixedBytes + Token.Length + Gateway.Length + (Watermarks.Count * LaneWatermark.Size) + Revocations.Length;

    /// <returns>Length of the payload.</returns>
    public int Write(Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(CatalogueDigest.Length, 32);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Watermarks.Count, Limits.MaxWatermarks);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Token.Length, Limits.MaxTokenBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Revocations.Length, Handshake.RevocationList.MaxBytes);
        var writer = new WireWriter(destination);
        writer.Str16(Token.Span);
        writer.U64(Generation);
        writer.Str8(Encoding.ASCII.GetBytes(Gateway));
        writer.U16(CatalogueVersion);
        writer.Bytes(CatalogueDigest.Span);
        writer.U32((uint)MaxFrameBytes);
        writer.U16((ushort)MaxOpenLanes);
        writer.U16((ushort)HeartbeatSeconds);
        writer.U32((uint)SessionSeconds);
        writer.U16((ushort)Watermarks.Count);
        for (var i = 0; i < Watermarks.Count; i++)
        {
            Watermarks[i].Write(ref writer);
        }

        writer.Str16(Revocations.Span);
        return writer.Position;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out SessionMessage? message)
    {
        message = null;
        var reader = new WireReader(payload);
        var token = reader.Str16(Limits.MaxTokenBytes);
        var generation = reader.U64();
        var gateway = reader.Str8(Limits.MaxNameBytes);
        var version = reader.U16();
        var digest = reader.Bytes(32);
        var maxFrame = reader.U32();
        var maxLanes = reader.U16();
        var heartbeat = reader.U16();
        var session = reader.U32();
        var count = reader.U16();
        if (reader.Failed || count > Limits.MaxWatermarks || reader.Remaining < count * LaneWatermark.Size || !TokenMessage.IsToken(token) || !AgentId.IsValid(gateway) ||
            maxFrame < Limits.MinGrantBytes || maxFrame > Limits.MaxFrameBytes || maxLanes is 0 or > Limits.MaxOpenLanes ||
            heartbeat is 0 or > 3600 || session is 0 or > 7 * 24 * 3600)
        {
            return false;
        }

        // Everything is known to be there before anything is allocated.
        var list = reader.Bytes(count * LaneWatermark.Size);
        var revocations = reader.Str16(Handshake.RevocationList.MaxBytes);
        if (!reader.AtEnd)
        {
            return false;
        }

        var watermarks = new LaneWatermark[count];
        var entries = new WireReader(list);
        for (var i = 0; i < count; i++)
        {
            watermarks[i] = LaneWatermark.Read(ref entries);
        }

        message = new SessionMessage
        {
            Token = token.ToArray(),
            Generation = generation,
            Gateway = Encoding.ASCII.GetString(gateway),
            CatalogueVersion = version,
            CatalogueDigest = digest.ToArray(),
            MaxFrameBytes = (int)maxFrame,
            MaxOpenLanes = maxLanes,
            HeartbeatSeconds = heartbeat,
            SessionSeconds = (int)session,
            Watermarks = watermarks,
            Revocations = revocations.ToArray(),
        };
        return true;
    }
}
