using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Auth;

/// <summary>
/// The tokens of one session. A token is verified when it is seen first and then known by its hash until it expires: a signature check for every message would
/// double the cost of each. Not thread-safe: it belongs to the session's opener.
/// </summary>
/// <param name="agentId">Empty in mode enrol, where there is no token and none may be shown.</param>
internal sealed class SessionTokenCheck(SessionTokens tokens, TimeProvider time, GatewayIdentity gateway, string agentId, ReadOnlyMemory<byte> sessionId)
{
    /// <summary>The current one, the one before, and one that came while both were good.</summary>
    private const int Kept = 3;

    private readonly List<(UInt128 High, UInt128 Low, DateTimeOffset Expires)> _good = new(1);

    public bool IsGood(ReadOnlySpan<byte> token)
    {
        if (agentId.Length == 0)
        {
            return token.IsEmpty;
        }

        Span<byte> hash = stackalloc byte[Sha256.Size];
        Sha256.Hash(token, hash);
        var high = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash);
        var low = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash[16..]);
        var now = time.GetUtcNow();
        foreach (var known in _good)
        {
            if (known.High == high && known.Low == low)
            {
                return now < known.Expires;
            }
        }

        if (!tokens.TryVerify(gateway, agentId, sessionId.Span, token, out var expires))
        {
            return false;
        }

        if (_good.Count == Kept)
        {
            _good.RemoveAt(0);
        }

        _good.Add((high, low, expires));
        return true;
    }
}
