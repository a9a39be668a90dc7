using System.Text;
using Streams.Gateway.Auth;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Fuzz.Targets;

/// <summary>A session token as an agent shows it: nothing is good but what this gateway issued, byte for byte.</summary>
internal sealed class SessionTokenFuzz : FuzzTarget
{
    private const string Agent = "agent-001";

    private readonly SessionTokens _tokens = new(new Stopped(), TimeSpan.FromSeconds(900));
    private readonly GatewayIdentity _gateway;
    private readonly byte[] _issued;

    public SessionTokenFuzz()
    {
        using var root = SigningKey.FromSeed(new byte[32]);
        var key = SigningKey.FromSeed([1, .. new byte[31]]);
        _gateway = new GatewayIdentity(key, FleetCertificate.Create(root, CertificateUse.Gateway, "gateway-1", key.PublicKey, 1, long.MaxValue, 3));
        _issued = _tokens.Issue(_gateway, Agent, new byte[16]);
    }

    public override string Name => "session-token";

    public override int MaxBytes => 2048;

    public override IEnumerable<byte[]> Seeds()
    {
        yield return _issued;
        // Another session's: well-formed, and signed by this gateway.
        yield return _tokens.Issue(_gateway, Agent, [1, .. new byte[15]]);
    }

    public override IReadOnlyList<byte[]> Words { get; } = [.. new[] { ".", "==", "eyJhbGciOiJub25lIn0", "eyJhbGciOiJFZERTQSJ9", "e30" }.Select(Utf8)];

    public override int Run(ReadOnlySpan<byte> input)
    {
        var isGood = _tokens.TryVerify(_gateway, Agent, new byte[16], input, out var expires);
        Must(isGood == input.SequenceEqual(_issued), $"good {isGood}: {Encoding.Latin1.GetString(input)}");
        Must(!isGood || expires == Stopped.Now.AddSeconds(900), "another time of expiry");
        var isFormed = TokenForm.TryRead(input, out var claims);
        return (isGood ? 2 : isFormed ? 1 : 0) + (input.Count((byte)'.') << 4) + (claims.Subject?.Length << 8 ?? 0);
    }

    private sealed class Stopped : TimeProvider
    {
        public static DateTimeOffset Now { get; } = DateTimeOffset.FromUnixTimeSeconds(1_750_000_000);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
