using Streams.Wire.Crypto;
using Streams.Wire.Keys;

namespace Streams.Wire.Handshake;

/// <summary>
/// The gateway's side of one handshake: bytes in, bytes or a reason out, no I/O, no waiting. Order of calls: <see cref="WriteHello"/>,
/// <see cref="ReadAuth"/>, (look the agent's key up), <see cref="Verify"/> or in mode enrol <see cref="VerifyEnrolment"/>, <see cref="WriteAccept"/>. After any reason but None send
/// <see cref="RefusalMessage"/>, close, and dispose. Not thread-safe.
/// </summary>
public sealed class GatewayHandshake : IDisposable
{
    /// <summary>Room that <see cref="WriteHello"/> needs at most.</summary>
    public const int MaxHelloBytes = 1024;

    /// <summary>Length of M3.</summary>
    public const int AcceptBytes = 1 + SigningKey.SignatureSize;

    private enum Step
    {
        Hello,
        Auth,
        Verify,
        Accept,
        Done,
    }

    private readonly GatewayIdentity _identity;
    private readonly KeyArena _arena;
    private readonly EphemeralKey _ephemeral;
    private readonly Transcript _transcript;
    private readonly GatewayOffer _offer;
    private readonly byte[] _nonce = new byte[HelloMessage.NonceSize];
    private readonly byte[] _shared = new byte[EphemeralKey.Size];
    private AuthMessage? _auth;
    private Step _step;

    private GatewayHandshake(GatewayIdentity identity, HandshakeContext context, KeyArena arena, EphemeralKey ephemeral, GatewayOffer offer)
    {
        _identity = identity;
        _offer = offer;
        _arena = arena;
        _ephemeral = ephemeral;
        _transcript = new Transcript(context.Prologue());
    }

    /// <summary>Starts a handshake; takes <paramref name="ephemeral"/> over (also when it refuses).</summary>
    /// <param name="context">What the upgrade request said.</param>
    /// <param name="arena">Where the session's keys will live.</param>
    /// <param name="ephemeral">A fresh pair that no other connection has used.</param>
    /// <param name="offer">Null: every version of this build, and no enrolment.</param>
    public static RefusalReason TryStart(GatewayIdentity identity, HandshakeContext context, KeyArena arena, EphemeralKey ephemeral,
        out GatewayHandshake? handshake, GatewayOffer? offer = null)
    {
        Span<byte> nonce = stackalloc byte[HelloMessage.NonceSize];
        Entropy.Fill(nonce);
        return TryStart(identity, context, arena, ephemeral, nonce, out handshake, offer);
    }

    internal static RefusalReason TryStart(GatewayIdentity identity, HandshakeContext context, KeyArena arena, EphemeralKey ephemeral,
        ReadOnlySpan<byte> nonce, out GatewayHandshake? handshake, GatewayOffer? offer = null)
    {
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(arena);
        ArgumentNullException.ThrowIfNull(ephemeral);
        handshake = null;
        var reason = context.Check();
        if (reason != RefusalReason.None)
        {
            ephemeral.Dispose();
            return reason;
        }

        handshake = new GatewayHandshake(identity, context, arena, ephemeral, offer ?? GatewayOffer.Default);
        nonce.CopyTo(handshake._nonce);
        return RefusalReason.None;
    }

    /// <summary>Writes M1.</summary>
    /// <param name="unixMicroseconds">The gateway's clock, for the agent to report a difference.</param>
    /// <returns>Length of M1.</returns>
    public int WriteHello(long unixMicroseconds, Span<byte> destination)
    {
        Enter(Step.Hello);
        var hello = new HelloMessage(_offer.Versions.Min, _offer.Versions.Max, [Protocol.Suite], _identity.Certificate,
            _ephemeral.PublicKey.ToArray(), _nonce, (ulong)unixMicroseconds);
        var length = hello.Write(destination);
        _transcript.Add(destination[..length]);
        _step = Step.Auth;
        return length;
    }

    /// <summary>Reads M2: form and choices only. The claims in <paramref name="auth"/> are unproven until <see cref="Verify"/>.</summary>
    public RefusalReason ReadAuth(ReadOnlySpan<byte> message, out AuthMessage? auth)
    {
        Enter(Step.Auth);
        _step = Step.Done;
        var reason = AuthMessage.TryRead(message, out auth);
        if (reason != RefusalReason.None)
        {
            return reason;
        }

        if (!_offer.Versions.Contains(auth!.Version))
        {
            return RefusalReason.UnsupportedVersion;
        }

        if (auth.Suite != Protocol.Suite)
        {
            return RefusalReason.UnsupportedSuite;
        }

        if (auth.Mode == SessionMode.Enrol && !_offer.AllowsEnrolment)
        {
            return RefusalReason.ModeNotAllowed;
        }

        _auth = auth;
        _step = Step.Verify;
        return RefusalReason.None;
    }

    /// <summary>Proves M2 against the key this agent is enrolled with, then agrees on the shared secret. Signs nothing.</summary>
    /// <param name="enrolledKey">The agent's public key, empty when the agent is unknown: then a dummy verification takes the same
    /// time.</param>
    public RefusalReason Verify(ReadOnlySpan<byte> enrolledKey)
    {
        Enter(Step.Verify);
        _step = Step.Done;
        if (_auth!.Mode != SessionMode.Session)
        {
            return RefusalReason.ModeNotAllowed;
        }

        Span<byte> digest = stackalloc byte[Sha256.Size];
        _transcript.Peek(_auth.Signed, digest);
        if (enrolledKey.Length != SigningKey.PublicKeySize || !Entropy.Equal(enrolledKey, _auth.PublicKey.Span))
        {
            Signature.VerifyDummy(SigningInput.AgentAuth, digest, _auth.SignatureBytes);
            return enrolledKey.IsEmpty ? RefusalReason.UnknownAgent : RefusalReason.KeyMismatch;
        }

        return Agree(enrolledKey, digest);
    }

    /// <summary>
    /// Mode enrol: proves that the peer holds the key that M2 names, whoever it is, then agrees. What the peer may become is for the registry to say.
    /// </summary>
    public RefusalReason VerifyEnrolment()
    {
        Enter(Step.Verify);
        _step = Step.Done;
        if (_auth!.Mode != SessionMode.Enrol)
        {
            return RefusalReason.ModeNotAllowed;
        }

        Span<byte> digest = stackalloc byte[Sha256.Size];
        _transcript.Peek(_auth.Signed, digest);
        return Agree(_auth.PublicKey.Span, digest);
    }

    private RefusalReason Agree(ReadOnlySpan<byte> key, ReadOnlySpan<byte> digest)
    {
        if (!Signature.Verify(key, SigningInput.AgentAuth, digest, _auth!.SignatureBytes))
        {
            return RefusalReason.BadSignature;
        }

        if (!_ephemeral.TryAgree(_auth.Ephemeral.Span, _shared))
        {
            return RefusalReason.LowOrderKey;
        }

        _transcript.Add(_auth.Raw.Span);
        _step = Step.Accept;
        return RefusalReason.None;
    }

    /// <summary>Signs and writes M3 (<see cref="AcceptBytes"/>) and derives the session's keys, which the caller owns.</summary>
    public RefusalReason WriteAccept(Span<byte> destination, out SessionKeys? keys)
    {
        Enter(Step.Accept);
        _step = Step.Done;
        Span<byte> digest = stackalloc byte[Sha256.Size];
        destination[0] = (byte)HandshakeType.Accept;
        _transcript.Peek(destination[..1], digest);
        _identity.Key.Sign(SigningInput.GatewayAuth, digest, destination[1..AcceptBytes]);
        _transcript.Add(destination[..AcceptBytes]);
        keys = SessionKeys.TryDerive(_arena, _transcript.Hash, _shared, isAgent: false);
        Dispose();
        return keys is null ? RefusalReason.Overloaded : RefusalReason.None;
    }

    internal ReadOnlySpan<byte> TranscriptHash => _transcript.Hash;

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
