using System.Text;
using Streams.Wire.Crypto;
using Streams.Wire.Keys;
using Streams.Wire.Messages;

namespace Streams.Wire.Handshake;

/// <summary>
/// The agent's side of one handshake: <see cref="ReadHello"/> (M1 in, M2 out), then <see cref="ReadAccept"/> (M3 in). After any reason
/// but None
/// close with <see cref="CloseCode.Refused"/> and dispose. Not thread-safe.
/// </summary>
public sealed class AgentHandshake : IDisposable
{
    /// <summary>Room that M2 needs at most.</summary>
    public const int MaxAuthBytes = AuthMessage.FixedBytes + Limits.MaxNameBytes;

    private enum Step
    {
        Hello,
        Accept,
        Done,
    }

    private readonly SigningKey _key;
    private readonly string _agentId;
    private readonly VersionRange _versions;
    private readonly KeyArena _arena;
    private readonly EphemeralKey _ephemeral;
    private readonly Transcript _transcript;
    private readonly byte[] _nonce = new byte[AuthMessage.NonceSize];
    private readonly byte[] _shared = new byte[EphemeralKey.Size];
    private FleetCertificate? _certificate;
    private Step _step;

    private AgentHandshake(SigningKey key, string agentId, HandshakeContext context, KeyArena arena, EphemeralKey ephemeral, VersionRange versions)
    {
        _key = key;
        _agentId = agentId;
        _versions = versions;
        _arena = arena;
        _ephemeral = ephemeral;
        _transcript = new Transcript(context.Prologue());
    }

    /// <summary>The gateway's certificate, verified; null before <see cref="ReadHello"/> succeeded.</summary>
    public FleetCertificate? Gateway => _certificate;

    /// <summary>The gateway's clock, Unix µs, from M1.</summary>
    public ulong GatewayTime { get; private set; }

    /// <summary>The version of the session; 0 before <see cref="ReadHello"/> succeeded.</summary>
    public byte Version { get; private set; }

    public static RefusalReason TryStart(AgentIdentity identity, HandshakeContext context, KeyArena arena, out AgentHandshake? handshake)
    {
        ArgumentNullException.ThrowIfNull(identity);
        return TryStart(identity.Key, identity.AgentId, context, arena, out handshake);
    }

    /// <summary>A handshake of mode enrol: the key has no agent id yet.</summary>
    public static RefusalReason TryStartEnrolment(SigningKey key, HandshakeContext context, KeyArena arena, out AgentHandshake? handshake) =>
        TryStart(key, "", context, arena, out handshake);

    private static RefusalReason TryStart(SigningKey key, string agentId, HandshakeContext context, KeyArena arena, out AgentHandshake? handshake)
    {
        ArgumentNullException.ThrowIfNull(arena);
        handshake = null;
        if (EphemeralKey.TryGenerate(arena) is not { } ephemeral)
        {
            return RefusalReason.Overloaded;
        }

        Span<byte> nonce = stackalloc byte[AuthMessage.NonceSize];
        Entropy.Fill(nonce);
        return TryStart(key, agentId, context, arena, ephemeral, nonce, out handshake, Protocol.Versions);
    }

    /// <param name="agentId">Empty: mode enrol.</param>
    internal static RefusalReason TryStart(SigningKey key, string agentId, HandshakeContext context, KeyArena arena, EphemeralKey ephemeral,
        ReadOnlySpan<byte> nonce, out AgentHandshake? handshake, VersionRange versions)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(context);
        handshake = null;
        var reason = context.Check();
        if (reason != RefusalReason.None)
        {
            ephemeral.Dispose();
            return reason;
        }

        handshake = new AgentHandshake(key, agentId, context, arena, ephemeral, versions);
        nonce.CopyTo(handshake._nonce);
        return RefusalReason.None;
    }

    /// <summary>Verifies M1 and writes M2 to <paramref name="auth"/> (at most <see cref="MaxAuthBytes"/>).</summary>
    public RefusalReason ReadHello(
        ReadOnlySpan<byte> message, in GatewayExpectations expected, in AgentClaims claims, Span<byte> auth, out int written)
    {
        Enter(Step.Hello);
        written = 0;
        _step = Step.Done;
        if (message.Length > Limits.MaxHandshakeMessageBytes)
        {
            return RefusalReason.TooLarge;
        }

        if (message.SequenceEqual(RefusalMessage.Bytes))
        {
            return RefusalReason.RefusedByGateway;
        }

        if (HelloMessage.TryRead(message) is not { } hello)
        {
            return RefusalReason.Malformed;
        }

        var reason = Judge(hello, in expected);
        if (reason != RefusalReason.None)
        {
            return reason;
        }

        _transcript.Add(message);
        written = WriteAuth(in claims, auth);
        _certificate = hello.Certificate;
        GatewayTime = hello.Time;

        // Agreeing after M2 is built keeps e_a's public half available and erases its secret before anything else can fail.
        if (!_ephemeral.TryAgree(hello.Ephemeral, _shared))
        {
            written = 0;
            return RefusalReason.LowOrderKey;
        }

        _step = Step.Accept;
        return RefusalReason.None;
    }

    /// <summary>Verifies M3 and derives the session's keys, which the caller owns.</summary>
    public RefusalReason ReadAccept(ReadOnlySpan<byte> message, out SessionKeys? keys)
    {
        Enter(Step.Accept);
        keys = null;
        _step = Step.Done;
        if (message.SequenceEqual(RefusalMessage.Bytes))
        {
            return RefusalReason.RefusedByGateway;
        }

        if (message.Length != GatewayHandshake.AcceptBytes || message[0] != (byte)HandshakeType.Accept)
        {
            return RefusalReason.Malformed;
        }

        Span<byte> digest = stackalloc byte[Sha256.Size];
        _transcript.Peek(message[..1], digest);
        if (!Signature.Verify(_certificate!.PublicKey, SigningInput.GatewayAuth, digest, message[1..]))
        {
            return RefusalReason.BadSignature;
        }

        _transcript.Add(message);
        keys = SessionKeys.TryDerive(_arena, _transcript.Hash, _shared, isAgent: true);
        Dispose();
        return keys is null ? RefusalReason.Overloaded : RefusalReason.None;
    }

    internal ReadOnlySpan<byte> TranscriptHash => _transcript.Hash;

    private RefusalReason Judge(HelloMessage hello, in GatewayExpectations expected)
    {
        if (_versions.HighestCommon(new VersionRange(hello.VersionMin, hello.VersionMax)) is not { } version)
        {
            return RefusalReason.UnsupportedVersion;
        }

        Version = version;

        if (!hello.Suites.AsSpan().Contains(Protocol.Suite))
        {
            return RefusalReason.UnsupportedSuite;
        }

        var reason = expected.Roots.Verify(hello.Certificate, CertificateUse.Gateway, expected.UnixSeconds);
        return reason != RefusalReason.None ? reason
            : expected.Revoked is { } revoked && revoked.Contains(hello.Certificate.Serial) ? RefusalReason.CertificateRevoked
            : expected.Name is { } name && name != hello.Certificate.Name ? RefusalReason.UnexpectedGateway
            : RefusalReason.None;
    }

    private int WriteAuth(in AgentClaims claims, Span<byte> auth)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(claims.CatalogueDigest.Length, AuthMessage.DigestSize);
        var writer = new WireWriter(auth);
        writer.U8((byte)HandshakeType.Auth);
        writer.U8(Version);
        writer.U8(Protocol.Suite);
        writer.U8((byte)(_agentId.Length == 0 ? SessionMode.Enrol : SessionMode.Session));
        writer.Str8(Encoding.ASCII.GetBytes(_agentId));
        writer.Bytes(_key.PublicKey);
        writer.Bytes(_ephemeral.PublicKey);
        writer.Bytes(_nonce);
        writer.U64(claims.Time);
        writer.U128(claims.BootId);
        writer.U128(claims.Epoch);
        writer.U64(claims.ConnectCounter);
        writer.Bytes(claims.CatalogueDigest.Span);
        Span<byte> digest = stackalloc byte[Sha256.Size];
        _transcript.Peek(auth[..writer.Position], digest);
        _key.Sign(SigningInput.AgentAuth, digest, writer.Reserve(SigningKey.SignatureSize));
        _transcript.Add(auth[..writer.Position]);
        return writer.Position;
    }

    private void Enter(Step step)
    {
        if (_step != step)
        {
            throw new InvalidOperationException($"handshake step {step} called in step {_step}");
        }
    }

    public void Dispose()
    {
        _step = Step.Done;
        Entropy.Erase(_shared);
        _ephemeral.Dispose();
    }
}
