using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;

namespace Streams.Wire.Tests.Handshake;

public sealed class HandshakeTests
{
    [Fact]
    public void BothSidesDeriveTheSameKeysAndNothingLeaks()
    {
        using var pair = new Pair().Complete();
        Assert.Equal(pair.AgentKeys!.SessionId.ToArray(), pair.GatewayKeys!.SessionId.ToArray());
        Assert.Equal("gw-1", pair.AgentSide.Gateway!.Name);
        Assert.Equal(4, pair.Arena.Rented);

        var (sealer, opener) = pair.GatewayToAgent();
        var frame = new byte[100 + FrameHeader.Overhead];
        var length = sealer.Seal(FrameType.Session, LaneClass.Control, new byte[100], frame);
        Assert.Equal(FrameError.None, opener.TryOpen(frame.AsSpan(0, length), out var header, out var plaintext));
        Assert.Equal(FrameType.Session, header.Type);
        Assert.Equal(new byte[100], plaintext.ToArray());
        sealer.Dispose();
        opener.Dispose();
        pair.AgentKeys.Dispose();
        pair.GatewayKeys.Dispose();
        Assert.Equal(0, pair.Arena.Rented);
    }

    [Fact]
    public void EveryFlippedByteOfTheHelloIsRefusedAtTheLatestByTheGateway()
    {
        for (var i = 0; ; i++)
        {
            using var pair = new Pair();
            var hello = pair.MakeHello();
            if (i == hello.Length)
            {
                break;
            }

            hello[i] ^= 0x40;
            var reason = pair.MakeAuth(hello);
            if (reason == RefusalReason.None)
            {
                // Fields the agent cannot judge (ephemeral, nonce, time) are in the transcript that it signs.
                reason = pair.MakeAccept(pair.Auth);
            }

            Assert.True(reason != RefusalReason.None, $"byte {i} of M1");
            Assert.Null(pair.GatewayKeys);
        }
    }

    [Fact]
    public void EveryFlippedByteOfTheAuthIsRefused()
    {
        for (var i = 0; ; i++)
        {
            using var pair = new Pair();
            Assert.Equal(RefusalReason.None, pair.MakeAuth(pair.MakeHello()));
            if (i == pair.Auth.Length)
            {
                break;
            }

            pair.Auth[i] ^= 0x01;
            Assert.True(pair.MakeAccept(pair.Auth) != RefusalReason.None, $"byte {i} of M2");
            Assert.Null(pair.GatewayKeys);
        }
    }

    [Fact]
    public void EveryFlippedByteOfTheAcceptIsRefused()
    {
        for (var i = 0; i < GatewayHandshake.AcceptBytes; i++)
        {
            using var pair = new Pair();
            Assert.Equal(RefusalReason.None, pair.MakeAuth(pair.MakeHello()));
            Assert.Equal(RefusalReason.None, pair.MakeAccept(pair.Auth));
            pair.Accept[i] ^= 0x80;
            Assert.True(pair.Finish(pair.Accept) != RefusalReason.None, $"byte {i} of M3");
            Assert.Null(pair.AgentKeys);
        }
    }

    [Fact]
    public void TruncatedAndExtendedMessagesAreRefusedAtEveryLength()
    {
        int helloLength, authLength;
        using (var pair = new Pair().Complete())
        {
            (helloLength, authLength) = (pair.Hello.Length, pair.Auth.Length);
        }

        for (var cut = 0; cut <= helloLength + 8; cut++)
        {
            if (cut != helloLength)
            {
                using var pair = new Pair();
                Assert.Equal(RefusalReason.Malformed, pair.MakeAuth(Resize(pair.MakeHello(), cut)));
            }
        }

        for (var cut = 0; cut <= authLength + 8; cut++)
        {
            if (cut != authLength)
            {
                using var pair = new Pair();
                pair.MakeAuth(pair.MakeHello());
                Assert.Equal(RefusalReason.Malformed, pair.MakeAccept(Resize(pair.Auth, cut)));
            }
        }

        for (var cut = 0; cut <= GatewayHandshake.AcceptBytes + 8; cut++)
        {
            if (cut != GatewayHandshake.AcceptBytes)
            {
                using var pair = new Pair();
                pair.MakeAuth(pair.MakeHello());
                pair.MakeAccept(pair.Auth);
                Assert.Equal(RefusalReason.Malformed, pair.Finish(Resize(pair.Accept, cut)));
            }
        }
    }

    [Fact]
    public void OversizedMessagesAreRefusedUnread()
    {
        using var pair = new Pair();
        Assert.Equal(RefusalReason.TooLarge, pair.MakeAuth(Resize(pair.MakeHello(), Limits.MaxHandshakeMessageBytes + 1)));
        Assert.Equal(RefusalReason.TooLarge, pair.MakeAccept(new byte[Limits.MaxHandshakeMessageBytes + 1]));
    }

    [Fact]
    public void AnotherAgentsKeyAndAnUnknownAgentAreRefused()
    {
        using var wrong = new Pair();
        wrong.MakeAuth(wrong.MakeHello());
        Assert.Equal(RefusalReason.KeyMismatch, wrong.MakeAccept(wrong.Auth, Pair.Fill(0x99)));
        using var unknown = new Pair();
        unknown.MakeAuth(unknown.MakeHello());
        Assert.Equal(RefusalReason.UnknownAgent, unknown.MakeAccept(unknown.Auth, []));
    }

    [Fact]
    public void ReplayedAuthFailsAgainstAFreshHello()
    {
        using var first = new Pair().Complete();
        Assert.Equal(RefusalReason.None, GatewayHandshake.TryStart(first.Gateway, HandshakeContext.Binary, first.Arena,
            EphemeralKey.TryGenerate(first.Arena)!, out var second));
        using (second)
        {
            second!.WriteHello(0, new byte[GatewayHandshake.MaxHelloBytes]);
            Assert.Equal(RefusalReason.None, second.ReadAuth(first.Auth, out _));
            Assert.Equal(RefusalReason.BadSignature, second.Verify(first.Agent.PublicKey));
        }
    }

    [Theory]
    [InlineData("streams.v1.bin, streams.v1.json", "/v1/agent")]
    [InlineData("streams.v1.bin", "/v1/agent?x")]
    public void ADifferentUpgradeRequestBreaksTheTranscript(string offered, string path)
    {
        using var pair = new Pair(gatewayContext: new HandshakeContext(offered, Protocol.BinarySubprotocol, path));
        Assert.Equal(RefusalReason.None, pair.MakeAuth(pair.MakeHello()));
        Assert.Equal(RefusalReason.BadSignature, pair.MakeAccept(pair.Auth));
    }

    [Theory]
    [InlineData("streams.v1.json,streams.v1.bin", "streams.v1.json")]
    [InlineData("streams.v1.bin, streams.v1.json", "streams.v1.json")]
    [InlineData("chat", "streams.v1.json")]
    [InlineData("streams.v1.json", "streams.v1.bin")]
    public void ADowngradedSubprotocolIsRefusedBeforeTheFirstByte(string offered, string selected)
    {
        using var pair = new Pair();
        using var ephemeral = EphemeralKey.TryGenerate(pair.Arena)!;
        Assert.Equal(RefusalReason.Subprotocol, GatewayHandshake.TryStart(pair.Gateway,
            new HandshakeContext(offered, selected, Protocol.Path), pair.Arena, ephemeral, out var handshake));
        Assert.Null(handshake);
    }

    [Fact]
    public void RefusalInsteadOfAcceptIsReported()
    {
        using var pair = new Pair();
        pair.MakeAuth(pair.MakeHello());
        Assert.Equal(RefusalReason.RefusedByGateway, pair.Finish(RefusalMessage.Bytes.ToArray()));
    }

    [Fact]
    public void AFullArenaRefusesInsteadOfThrowing()
    {
        using var pair = new Pair();
        pair.MakeAuth(pair.MakeHello());
        while (pair.Arena.TryRent(out _))
        {
        }

        // The ephemeral key's slot came back when it agreed; one slot is not enough for two directions.
        Assert.Equal(RefusalReason.Overloaded, pair.MakeAccept(pair.Auth));
    }

    private static byte[] Resize(byte[] message, int length)
    {
        Array.Resize(ref message, length);
        return message;
    }
}
