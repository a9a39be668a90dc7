using System.Buffers.Binary;
using System.Text;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Fuzz.Targets;

/// <summary>M1 as an agent reads it and M2 as a gateway reads it. Each has one form only.</summary>
internal sealed class HandshakeFuzz : FuzzTarget
{
    public override string Name => "handshake";

    public override int MaxBytes => Limits.MaxHandshakeMessageBytes + 64;

    public override IEnumerable<byte[]> Seeds()
    {
        using var root = SigningKey.FromSeed(new byte[32]);
        using var key = SigningKey.FromSeed([1, .. new byte[31]]);
        var certificate = FleetCertificate.Create(root, CertificateUse.Gateway, "gateway-1", key.PublicKey, 1, long.MaxValue, 3);
        var buffer = new byte[GatewayHandshake.MaxHelloBytes];
        var hello = buffer[..new HelloMessage(1, 1, [1], certificate, new byte[32], new byte[32], 7).Write(buffer)];
        yield return hello;
        yield return Auth(key, hello, "agent-001");
        yield return Auth(key, hello, "");
        yield return RefusalMessage.Bytes.ToArray();
    }

    public override int Run(ReadOnlySpan<byte> input)
    {
        if (HelloMessage.TryRead(input) is { } hello)
        {
            var written = new byte[input.Length];
            Must(hello.Length == input.Length && hello.Write(written) == input.Length && written.AsSpan().SequenceEqual(input), "M1 has two forms");
            return 1000 + hello.Suites.Length;
        }

        var reason = AuthMessage.TryRead(input, out var auth);
        Must((reason == RefusalReason.None) == (auth is not null), "a reason without a refusal");
        if (auth is null)
        {
            return (int)reason;
        }

        Must(Write(auth).SequenceEqual(input), "M2 has two forms");
        Must(auth.Mode == SessionMode.Enrol ? auth.AgentId.Length == 0 : AgentId.IsValid(auth.AgentId), "a name that is none");
        return 2000 + auth.AgentId.Length;
    }

    private static Span<byte> Write(AuthMessage auth)
    {
        var text = new byte[Limits.MaxHandshakeMessageBytes];
        text[0] = 2;
        text[1] = auth.Version;
        text[2] = auth.Suite;
        text[3] = (byte)auth.Mode;
        text[4] = (byte)Encoding.ASCII.GetBytes(auth.AgentId, text.AsSpan(5));
        var at = 5 + text[4];
        auth.PublicKey.Span.CopyTo(text.AsSpan(at));
        auth.Ephemeral.Span.CopyTo(text.AsSpan(at + 32));
        // The nonce is in the transcript and nowhere else.
        auth.Raw.Span.Slice(at + 64, 32).CopyTo(text.AsSpan(at + 64));
        at += 96;
        BinaryPrimitives.WriteUInt64BigEndian(text.AsSpan(at), auth.Time);
        BinaryPrimitives.WriteUInt128BigEndian(text.AsSpan(at + 8), auth.BootId);
        BinaryPrimitives.WriteUInt128BigEndian(text.AsSpan(at + 24), auth.Epoch);
        BinaryPrimitives.WriteUInt64BigEndian(text.AsSpan(at + 40), auth.ConnectCounter);
        auth.CatalogueDigest.Span.CopyTo(text.AsSpan(at + 48));
        auth.SignatureBytes.CopyTo(text.AsSpan(at + 80));
        return text.AsSpan(0, at + 144);
    }

    private static byte[] Auth(SigningKey key, byte[] hello, string agentId)
    {
        using var arena = new KeyArena(4);
        using var ephemeral = EphemeralKey.TryFromSecret(arena, [9, .. new byte[31]])!;
        Must(AgentHandshake.TryStart(key, agentId, HandshakeContext.Binary, arena, ephemeral, new byte[32], out var handshake, Protocol.Versions)
            == RefusalReason.None, "no handshake");
        using (handshake)
        using (var root = SigningKey.FromSeed(new byte[32]))
        {
            var auth = new byte[AgentHandshake.MaxAuthBytes];
            // The seed's gateway has an all-zero point, which is refused after M2 was written: its length comes from the form.
            _ = handshake!.ReadHello(hello, new GatewayExpectations(new FleetRoots(root.PublicKey.ToArray()), null, null),
                new AgentClaims(1, 2, 3, 4, new byte[32]), auth, out _);
            return auth[..(AuthMessage.FixedBytes + agentId.Length)];
        }
    }
}
