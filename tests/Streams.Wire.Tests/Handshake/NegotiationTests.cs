using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Wire.Tests.Handshake;

/// <summary>Versions and modes: what is agreed on is what both ends signed.</summary>
public sealed class NegotiationTests
{
    private static GatewayOffer Offer(byte min, byte max, bool enrol = false) => new(new VersionRange(min, max), enrol);

    [Theory]
    [InlineData(1, 3, 1, 1, 1)]
    [InlineData(1, 3, 2, 2, 2)]
    [InlineData(1, 3, 1, 3, 3)]
    [InlineData(1, 3, 2, 5, 3)]
    [InlineData(3, 5, 1, 3, 3)]
    [InlineData(1, 1, 1, 3, 1)]
    public void TheHighestCommonVersionIsTaken(byte gatewayMin, byte gatewayMax, byte agentMin, byte agentMax, byte version)
    {
        using var pair = new Pair(offer: Offer(gatewayMin, gatewayMax), versions: new VersionRange(agentMin, agentMax)).Complete();
        Assert.Equal(version, pair.AgentSide.Version);
        Assert.Equal((version, gatewayMin, gatewayMax), (pair.Auth[1], pair.Hello[1], pair.Hello[2]));
        Assert.Equal(pair.AgentKeys!.SessionId.ToArray(), pair.GatewayKeys!.SessionId.ToArray());
    }

    [Theory]
    [InlineData(2, 3, 1, 1)]
    [InlineData(1, 1, 2, 3)]
    [InlineData(4, 6, 1, 3)]
    public void WithoutACommonVersionTheAgentSaysNothing(byte gatewayMin, byte gatewayMax, byte agentMin, byte agentMax)
    {
        using var pair = new Pair(offer: Offer(gatewayMin, gatewayMax), versions: new VersionRange(agentMin, agentMax));
        Assert.Equal(RefusalReason.UnsupportedVersion, pair.MakeAuth(pair.MakeHello()));
        Assert.Empty(pair.Auth);
        Assert.Equal(0, pair.AgentSide.Version);
    }

    [Fact]
    public void AVersionThatWasNotOfferedIsRefused()
    {
        // An agent that takes the gateway for another.
        using var other = new Pair(offer: Offer(1, 3), versions: new VersionRange(1, 3));
        other.MakeAuth(other.MakeHello());
        using var pair = new Pair(offer: Offer(1, 2));
        pair.MakeHello();
        Assert.Equal(RefusalReason.UnsupportedVersion, pair.MakeAccept(other.Auth));
    }

    /// <summary>Who makes the offer smaller on its way makes both ends agree, and breaks the transcript.</summary>
    [Fact]
    public void ADowngradeIsABadSignature()
    {
        using var pair = new Pair(offer: Offer(1, 3), versions: new VersionRange(1, 3));
        var hello = pair.MakeHello();
        hello[2] = 1;
        Assert.Equal(RefusalReason.None, pair.MakeAuth(hello));
        Assert.Equal(1, pair.Auth[1]);
        Assert.Equal(RefusalReason.BadSignature, pair.MakeAccept(pair.Auth));
    }

    [Fact]
    public void EnrolmentProvesTheKeyOfTheMessage()
    {
        using var pair = new Pair(offer: Offer(1, 1, enrol: true), enrol: true).Complete();
        Assert.Equal((byte)SessionMode.Enrol, pair.Auth[3]);
        Assert.Equal(0, pair.Auth[4]);
        Assert.Equal(pair.AgentKeys!.SessionId.ToArray(), pair.GatewayKeys!.SessionId.ToArray());
    }

    [Fact]
    public void EnrolmentIsRefusedWhereItIsNotOffered()
    {
        using var pair = new Pair(enrol: true);
        Assert.Equal(RefusalReason.None, pair.MakeAuth(pair.MakeHello()));
        Assert.Equal(RefusalReason.ModeNotAllowed, pair.MakeAccept(pair.Auth));
    }

    [Fact]
    public void EveryFlippedByteOfAnEnrolmentIsRefused()
    {
        for (var i = 0; ; i++)
        {
            using var pair = new Pair(offer: Offer(1, 1, enrol: true), enrol: true);
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

    /// <summary>A key that everybody can sign for identifies nobody.</summary>
    [Fact]
    public void AKeyOfSmallOrderEnrolsNobody()
    {
        using var pair = new Pair(offer: Offer(1, 1, enrol: true), enrol: true);
        pair.MakeAuth(pair.MakeHello());
        pair.Auth.AsSpan(5, SigningKey.PublicKeySize).Clear();
        pair.Auth[5] = 1;
        // R = identity, S = 0: good for the identity as a key, in a verification that does not look.
        pair.Auth.AsSpan(pair.Auth.Length - 64).Clear();
        pair.Auth[^64] = 1;
        Assert.Equal(RefusalReason.BadSignature, pair.MakeAccept(pair.Auth));
    }

    [Fact]
    public void OneModesProofIsNotTheOthers()
    {
        using var enrolling = new Pair(offer: Offer(1, 1, enrol: true), enrol: true);
        enrolling.MakeAuth(enrolling.MakeHello());
        Assert.Equal(RefusalReason.None, enrolling.GatewaySide.ReadAuth(enrolling.Auth, out var auth));
        Assert.Equal((SessionMode.Enrol, ""), (auth!.Mode, auth.AgentId));
        Assert.Equal(RefusalReason.ModeNotAllowed, enrolling.GatewaySide.Verify(auth.PublicKey.Span));
        using var pair = new Pair(offer: Offer(1, 1, enrol: true));
        pair.MakeAuth(pair.MakeHello());
        Assert.Equal(RefusalReason.None, pair.GatewaySide.ReadAuth(pair.Auth, out _));
        Assert.Equal(RefusalReason.ModeNotAllowed, pair.GatewaySide.VerifyEnrolment());
    }
}
