using System.Security.Cryptography;
using Streams.Wire.Keys;

namespace Streams.Microbench.Wire;

/// <summary>The keys of both ends of a session, derived as a handshake derives them from what it agreed on.</summary>
internal static class SessionPair
{
    private const int SharedBytes = 32;

    public static (SessionKeys Gateway, SessionKeys Agent) Derive(KeyArena arena)
    {
        var transcript = RandomNumberGenerator.GetBytes(SharedBytes);
        var shared = RandomNumberGenerator.GetBytes(SharedBytes);
        return (Derive(arena, transcript, shared, isAgent: false), Derive(arena, transcript, shared, isAgent: true));
    }

    private static SessionKeys Derive(KeyArena arena, byte[] transcript, byte[] shared, bool isAgent) =>
        SessionKeys.TryDerive(arena, transcript, shared, isAgent) ?? throw new InvalidOperationException("the arena has no free slot");
}
