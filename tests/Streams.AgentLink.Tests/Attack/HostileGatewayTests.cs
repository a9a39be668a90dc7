using Streams.AgentLink.Tests.Gateway;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Tests.Attack;

/// <summary>
/// Somebody between agent and gateway, or in the gateway's place: whatever is changed, left out, repeated or swapped, the agent goes no step
/// further, says nothing but the close code, and holds nothing of the session.
/// </summary>
public sealed class HostileGatewayTests : IAsyncLifetime, IDisposable
{
    private readonly ScriptedGateway _gateway = new();
    private RunningLink _link = null!;

    public Task InitializeAsync()
    {
        _link = new RunningLink(_gateway, o => o with { BackoffBase = TimeSpan.FromMilliseconds(10), BackoffMax = TimeSpan.FromMilliseconds(10) });
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _link.DisposeAsync();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task Every_byte_of_M1_flipped_is_seen_before_M2_or_is_in_its_signature()
    {
        var signed = 0;
        for (int at = 0, length = 1; at < length; at++)
        {
            await using var peer = await _gateway.AcceptAsync();
            using var handshake = Start();
            var hello = Hello(handshake);
            length = hello.Length;
            hello[at] ^= (byte)(1 << (at % 8));
            await peer.SendMessageAsync(hello);
            if (await AnswerAsync(peer) is not { } auth)
            {
                continue;
            }

            Assert.Equal(RefusalReason.None, handshake.ReadAuth(auth, out _));
            Assert.True(handshake.Verify(_gateway.Agent.PublicKey) == RefusalReason.BadSignature, $"byte {at} of M1");
            signed++;
        }

        // Ephemeral key, nonce and time, which only the gateway can judge, and the upper end of its versions.
        Assert.InRange(signed, 72, 73);
        AssertNoSession();
    }

    [Theory]
    [InlineData(nameof(RefusalReason.Malformed))]
    [InlineData(nameof(RefusalReason.LowOrderKey))]
    [InlineData(nameof(RefusalReason.UnsupportedVersion))]
    [InlineData(nameof(RefusalReason.UnsupportedSuite))]
    [InlineData(nameof(RefusalReason.UnknownRoot))]
    [InlineData(nameof(RefusalReason.BadCertificate))]
    [InlineData(nameof(RefusalReason.RefusedByGateway))]
    public async Task M1_that_is_not_a_certified_gateways_gets_no_M2(string reason)
    {
        using var stranger = SigningKey.Generate();
        var key = _gateway.Identity.Certificate.PublicKey.ToArray();
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var forged = FleetCertificate.Create(stranger, CertificateUse.Gateway, "gw-test", key, now - 60, now + 60, 1).Bytes.ToArray();
        Func<byte[], byte[]>[] forgeries = reason switch
        {
            nameof(RefusalReason.Malformed) =>
                [.. new[] { 1, 2, 5, 80, 150 }.Select(length => (Func<byte[], byte[]>)(hello => hello[..length])), hello => hello[..^1], hello => [.. hello, 0],
                 hello => [.. hello, .. hello], _ => [3, .. new byte[64]], hello => With(hello, 0, 2)],
            nameof(RefusalReason.LowOrderKey) =>
                [hello => Put(hello, hello.Length - 72, new byte[32]), hello => Put(hello, hello.Length - 72, [1, .. new byte[31]]),
                 hello => Put(hello, hello.Length - 72, Convert.FromHexString("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880")),
                 hello => Put(hello, hello.Length - 72, Convert.FromHexString("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"))],
            nameof(RefusalReason.UnsupportedVersion) => [hello => With(With(hello, 1, 0), 2, 0), hello => With(With(hello, 1, 200), 2, 201)],
            nameof(RefusalReason.UnsupportedSuite) => [hello => With(hello, 4, 2), hello => With(hello, 4, 0)],
            nameof(RefusalReason.UnknownRoot) => [hello => Put(hello, 5, forged)],
            // The stranger's signature under the pinned root's id.
            nameof(RefusalReason.BadCertificate) => [hello => Put(hello, 5, [.. forged[..^72], .. hello[(5 + forged.Length - 72)..(5 + forged.Length - 64)], .. forged[^64..]])],
            _ => [_ => RefusalMessage.Bytes.ToArray()],
        };
        foreach (var forge in forgeries)
        {
            await using var peer = await _gateway.AcceptAsync();
            using var handshake = Start();
            await peer.SendMessageAsync(forge(Hello(handshake)));
            Assert.Null(await AnswerAsync(peer));
            Assert.Contains(reason, _link.Next(LinkEventKind.Refused).Detail, StringComparison.Ordinal);
        }

        AssertNoSession();
    }

    [Fact]
    public async Task M3_that_is_not_exactly_this_handshakes_gets_no_ready()
    {
        byte[]? others = null;
        var cases = Enumerable.Range(0, GatewayHandshake.AcceptBytes).Select(at => (Func<byte[], byte[], byte[]>)((_, accept) => With(accept, at, (byte)(accept[at] ^ (1 << (at % 8))))))
            .Concat(Enumerable.Range(1, GatewayHandshake.AcceptBytes - 1).Select(length => (Func<byte[], byte[], byte[]>)((_, accept) => accept[..length])))
            .Append((_, accept) => [.. accept, 0])
            .Append((auth, _) => auth)
            .Append((_, _) => Hello(Start()))
            .Append((_, _) => others!)
            .Append((_, _) => [3, .. new byte[64]])
            .Append((_, _) => RefusalMessage.Bytes.ToArray());
        foreach (var change in cases)
        {
            await using var peer = await _gateway.AcceptAsync();
            var (handshake, auth, accept, keys) = await AcceptAsync(peer);
            using (handshake)
            using (keys)
            {
                await peer.SendMessageAsync(change(auth, accept));
                Assert.Null(await AnswerAsync(peer));
                others = accept;
            }
        }

        AssertNoSession();
    }

    [Fact]
    public async Task F0_that_is_not_exactly_this_sessions_gets_no_ready()
    {
        byte[]? others = null;
        var cases = Enumerable.Range(0, 60).Concat(Enumerable.Range(1, 16).Select(back => -back)).SelectMany(at => new[] { 1 << ((at + 64) % 8), 0xff }
                .Select(bits => (Func<FrameSealer, byte[], byte[]>)((_, first) => With(first, at < 0 ? first.Length + at : at, (byte)(first[at < 0 ? first.Length + at : at] ^ bits)))))
            .Append((_, first) => first[..^1])
            .Append((_, first) => first[..20])
            .Append((_, first) => [.. first, 0])
            .Append((_, _) => others!)
            .Append((sealer, _) => Seal(sealer, FrameType.Session, First()))
            .Append((sealer, _) => Seal(sealer, FrameType.Credit, new byte[CreditMessage.Length]))
            .Append((_, _) => [3, .. new byte[64]]);
        foreach (var change in cases)
        {
            await using var peer = await _gateway.AcceptAsync();
            var (handshake, _, accept, keys) = await AcceptAsync(peer);
            using (handshake)
            using (var sealer = new FrameSealer(keys, TimeProvider.System))
            using (keys)
            {
                await peer.SendMessageAsync(accept);
                var first = Seal(sealer, FrameType.Session, First());
                await peer.SendMessageAsync(change(sealer, first.ToArray()));
                Assert.Null(await AnswerAsync(peer));
                others = first;
            }
        }

        AssertNoSession();
    }

    [Theory]
    [InlineData(FrameType.Credit, CreditMessage.Length)]
    [InlineData(FrameType.Watermark, 2)]
    [InlineData(FrameType.Goodbye, GoodbyeMessage.Length)]
    [InlineData(FrameType.Token, 12)]
    [InlineData(FrameType.GatewayHeartbeat, 18)]
    [InlineData(FrameType.Rewind, 2)]
    [InlineData(FrameType.Hold, 2)]
    [InlineData(FrameType.GatewayMessage, 80)]
    [InlineData(FrameType.GatewayError, 6)]
    public async Task A_frame_with_a_changed_byte_ends_the_session_and_changes_nothing(FrameType type, int length)
    {
        var places = Enumerable.Range(0, FrameHeader.Size).Concat([FrameHeader.Size, FrameHeader.Size + 1]).Concat(Enumerable.Range(1, 16).Select(back => -back));
        foreach (var at in places)
        {
            await using var peer = await _gateway.AcceptSessionAsync();
            var frame = peer.Seal(type, new byte[length]);
            frame[at < 0 ? frame.Length + at : at] ^= (byte)(1 << ((at + 64) % 8));
            await EndsAsync(peer, frame);
        }
    }

    [Fact]
    public async Task Frames_repeated_skipped_swapped_reflected_or_of_another_session_end_it()
    {
        byte[]? others = null;
        Func<ScriptedPeer, Task<byte[][]>>[] cases =
        [
            peer => Task.FromResult<byte[][]>([others = peer.Seal(FrameType.Credit, new byte[CreditMessage.Length]), others]),
            peer =>
            {
                peer.Seal(FrameType.Credit, new byte[CreditMessage.Length]);
                return Task.FromResult<byte[][]>([peer.Seal(FrameType.Credit, new byte[CreditMessage.Length])]);
            },
            peer =>
            {
                var first = peer.Seal(FrameType.Credit, new byte[CreditMessage.Length]);
                return Task.FromResult<byte[][]>([peer.Seal(FrameType.Credit, new byte[CreditMessage.Length]), first]);
            },
            _ => Task.FromResult<byte[][]>([others!]),
            async peer => [await peer.ReceiveMessageAsync()],
            peer => Task.FromResult<byte[][]>([peer.Seal(FrameType.Session, First())]),
            peer => Task.FromResult<byte[][]>([RefusalMessage.Bytes.ToArray()]),
        ];
        foreach (var make in cases)
        {
            await using var peer = await _gateway.AcceptSessionAsync();
            await EndsAsync(peer, await make(peer));
        }
    }

    private async Task EndsAsync(ScriptedPeer peer, params byte[][] messages)
    {
        foreach (var message in messages)
        {
            await peer.SendMessageAsync(message);
        }

        // The agent's own first heartbeat and its wants are on their way; they carry no data, as no credit was given.
        while (true)
        {
            try
            {
                var sent = await peer.ReceiveMessageAsync();
                Assert.NotEqual((byte)FrameType.Data, sent[1]);
            }
            catch (InvalidOperationException closed)
            {
                Assert.Equal($"closed {(int)CloseCode.Protocol}", closed.Message);
                break;
            }
        }

        // The agent waits a second for the other half of the close.
        peer.Cut();
        _link.Next(LinkEventKind.Disconnected);
        Assert.Equal(0, _link.Link.KeysHeld);
    }

    private void AssertNoSession()
    {
        Assert.Equal(0UL, _link.Link.Status.Sessions);
        Assert.False(_link.Link.Status.Connected);
    }

    /// <summary>What the agent says next: a message, or null when it closes as it must.</summary>
    private static async Task<byte[]?> AnswerAsync(ScriptedPeer peer)
    {
        try
        {
            return await peer.ReceiveMessageAsync();
        }
        catch (InvalidOperationException closed)
        {
            Assert.Equal($"closed {(int)CloseCode.Refused}", closed.Message);
            return null;
        }
    }

    private GatewayHandshake Start()
    {
        Assert.Equal(RefusalReason.None, GatewayHandshake.TryStart(_gateway.Identity, HandshakeContext.Binary, _gateway.Arena,
            EphemeralKey.TryGenerate(_gateway.Arena)!, out var handshake));
        return handshake!;
    }

    private static byte[] Hello(GatewayHandshake handshake)
    {
        var hello = new byte[GatewayHandshake.MaxHelloBytes];
        return hello[..handshake.WriteHello(1, hello)];
    }

    private async Task<(GatewayHandshake Handshake, byte[] Auth, byte[] Accept, SessionKeys Keys)> AcceptAsync(ScriptedPeer peer)
    {
        var handshake = Start();
        await peer.SendMessageAsync(Hello(handshake));
        var auth = await peer.ReceiveMessageAsync();
        Assert.Equal(RefusalReason.None, handshake.ReadAuth(auth, out _));
        Assert.Equal(RefusalReason.None, handshake.Verify(_gateway.Agent.PublicKey));
        var accept = new byte[GatewayHandshake.AcceptBytes];
        Assert.Equal(RefusalReason.None, handshake.WriteAccept(accept, out var keys));
        return (handshake, auth, accept, keys!);
    }

    private byte[] First()
    {
        var session = new SessionMessage
        {
            Generation = _gateway.NextGeneration(),
            Gateway = "gw-test",
            CatalogueVersion = Catalogue.Version,
            CatalogueDigest = Catalogue.Digest.ToArray(),
            HeartbeatSeconds = 30,
            SessionSeconds = Wire.Limits.SessionSeconds,
            Watermarks = [],
        };
        var payload = new byte[session.Length];
        return payload[..session.Write(payload)];
    }

    private static byte[] Seal(FrameSealer sealer, FrameType type, byte[] payload)
    {
        var frame = new byte[payload.Length + FrameHeader.Overhead];
        return frame[..sealer.Seal(type, LaneClass.Control, payload, frame)];
    }

    private static byte[] With(byte[] message, int at, byte value)
    {
        message[at] = value;
        return message;
    }

    private static byte[] Put(byte[] message, int at, byte[] bytes)
    {
        bytes.CopyTo(message, at);
        return message;
    }
}
