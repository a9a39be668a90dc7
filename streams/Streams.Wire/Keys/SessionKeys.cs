using Streams.Wire.Crypto;

namespace Streams.Wire.Keys;

/// <summary>
/// What a finished handshake leaves: one slot per direction and the session id. Give it to a <see cref="Frames.FrameSealer"/> and a
/// <see cref="Frames.FrameOpener"/>, which take the slots over; dispose it if they are never made.
/// </summary>
public sealed class SessionKeys : IDisposable
{
    private readonly byte[] _sessionId = new byte[KeySchedule.SessionIdSize];
    private KeySlot _send;
    private KeySlot _receive;

    private SessionKeys(KeyArena arena, KeySlot send, KeySlot receive)
    {
        Arena = arena;
        _send = send;
        _receive = receive;
    }

    /// <summary>16 bytes that both ends know and nobody else chose; for logs and for binding tokens.</summary>
    public ReadOnlySpan<byte> SessionId => _sessionId;

    internal KeyArena Arena { get; }

    /// <summary>Derives everything from Z and h3. Null when the arena has no two free slots. The caller erases <paramref
    /// name="shared"/>.</summary>
    internal static SessionKeys? TryDerive(KeyArena arena, ReadOnlySpan<byte> h3, ReadOnlySpan<byte> shared, bool isAgent)
    {
        if (!arena.TryRent(out var a2g))
        {
            return null;
        }

        if (!arena.TryRent(out var g2a))
        {
            arena.Return(ref a2g);
            return null;
        }

        var keys = isAgent ? new SessionKeys(arena, a2g, g2a) : new SessionKeys(arena, g2a, a2g);
        Span<byte> prk = stackalloc byte[Hkdf.PrkSize];
        Span<byte> secret = stackalloc byte[KeySchedule.SecretSize];
        KeySchedule.Extract(h3, shared, prk);
        KeySchedule.Derive(prk, KeySchedule.AgentToGatewayLabel, h3, secret);
        TrafficKey.Install(a2g, secret);
        KeySchedule.Derive(prk, KeySchedule.GatewayToAgentLabel, h3, secret);
        TrafficKey.Install(g2a, secret);
        KeySchedule.Derive(prk, KeySchedule.SessionIdLabel, h3, keys._sessionId);
        Entropy.Erase(secret);
        Entropy.Erase(prk);
        return keys;
    }

    internal KeySlot TakeSend() => Take(ref _send);

    internal KeySlot TakeReceive() => Take(ref _receive);

    private static KeySlot Take(ref KeySlot slot)
    {
        var taken = slot.IsRented ? slot : throw new InvalidOperationException("the keys of this direction were already taken");
        slot = default;
        return taken;
    }

    public void Dispose()
    {
        Arena.Return(ref _send);
        Arena.Return(ref _receive);
    }
}
