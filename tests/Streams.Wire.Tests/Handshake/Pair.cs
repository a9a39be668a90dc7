using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Wire.Tests.Handshake;

/// <summary>Both ends of a handshake with fixed inputs, to run whole or step by step.</summary>
internal sealed class Pair : IDisposable
{
    internal const long Now = 1_750_000_000;

    internal KeyArena Arena { get; } = new(64);

    internal SigningKey Root { get; } = SigningKey.FromSeed(Fill(0x10));

    internal GatewayIdentity Gateway { get; }

    internal AgentIdentity Agent { get; } = new("agent-001", SigningKey.FromSeed(Fill(0x30)));

    internal GatewayHandshake GatewaySide { get; }

    internal AgentHandshake AgentSide { get; }

    internal AgentClaims Claims { get; } = new(
        1_750_000_000_250_000, UInt128.Parse("112233445566778899"), UInt128.Parse("998877665544332211"), 7, Fill(0x77));

    internal byte[] Hello { get; private set; } = [];

    internal byte[] Auth { get; private set; } = [];

    internal byte[] Accept { get; private set; } = [];

    internal SessionKeys? GatewayKeys { get; private set; }

    internal SessionKeys? AgentKeys { get; private set; }

    /// <param name="offer">The gateway's.</param>
    /// <param name="versions">The agent's.</param>
    /// <param name="enrol">The agent has a key and no identity yet.</param>
    /// <param name="fresh">Ephemeral keys and nonces are drawn, as in life.</param>
    internal Pair(HandshakeContext? agentContext = null, HandshakeContext? gatewayContext = null, GatewayOffer? offer = null,
        VersionRange? versions = null, bool enrol = false, bool fresh = false)
    {
        var key = SigningKey.FromSeed(Fill(0x20));
        Gateway = new GatewayIdentity(key, FleetCertificate.Create(Root, CertificateUse.Gateway, "gw-1", key.PublicKey, Now - 60, Now + 3600, 42));
        Assert.Equal(RefusalReason.None, GatewayHandshake.TryStart(Gateway, gatewayContext ?? HandshakeContext.Binary, Arena,
            Ephemeral(0x40, fresh), fresh ? Draw() : Fill(0x41), out var gateway, offer));
        Assert.Equal(RefusalReason.None, AgentHandshake.TryStart(Agent.Key, enrol ? "" : Agent.AgentId, agentContext ?? HandshakeContext.Binary, Arena,
            Ephemeral(0x50, fresh), fresh ? Draw() : Fill(0x51), out var agent, versions ?? Protocol.Versions));
        GatewaySide = gateway!;
        AgentSide = agent!;
    }

    internal GatewayExpectations Expected => new(new FleetRoots(Root.PublicKey.ToArray()), "gw-1", Now);

    internal byte[] MakeHello()
    {
        var buffer = new byte[GatewayHandshake.MaxHelloBytes];
        return Hello = buffer[..GatewaySide.WriteHello(1_750_000_000_000_000, buffer)];
    }

    internal RefusalReason MakeAuth(byte[] hello)
    {
        var buffer = new byte[AgentHandshake.MaxAuthBytes];
        var reason = AgentSide.ReadHello(hello, Expected, Claims, buffer, out var written);
        Auth = buffer[..written];
        return reason;
    }

    internal RefusalReason MakeAccept(byte[] auth, byte[]? enrolled = null)
    {
        var reason = GatewaySide.ReadAuth(auth, out var read);
        if (reason == RefusalReason.None)
        {
            reason = read!.Mode == SessionMode.Enrol ? GatewaySide.VerifyEnrolment() : GatewaySide.Verify(enrolled ?? Agent.PublicKey.ToArray());
        }

        if (reason == RefusalReason.None)
        {
            Accept = new byte[GatewayHandshake.AcceptBytes];
            reason = GatewaySide.WriteAccept(Accept, out var keys);
            GatewayKeys = keys;
        }

        return reason;
    }

    internal RefusalReason Finish(byte[] accept)
    {
        var reason = AgentSide.ReadAccept(accept, out var keys);
        AgentKeys = keys;
        return reason;
    }

    /// <summary>Runs everything and asserts success.</summary>
    internal Pair Complete()
    {
        Assert.Equal(RefusalReason.None, MakeAuth(MakeHello()));
        Assert.Equal(RefusalReason.None, MakeAccept(Auth));
        Assert.Equal(RefusalReason.None, Finish(Accept));
        return this;
    }

    internal (FrameSealer Sealer, FrameOpener Opener) AgentToGateway(TimeProvider? time = null) =>
        (new FrameSealer(AgentKeys!, time ?? TimeProvider.System), new FrameOpener(GatewayKeys!, fromAgent: true));

    internal (FrameSealer Sealer, FrameOpener Opener) GatewayToAgent(TimeProvider? time = null) =>
        (new FrameSealer(GatewayKeys!, time ?? TimeProvider.System), new FrameOpener(AgentKeys!, fromAgent: false));

    internal static byte[] Fill(byte value) => Enumerable.Range(0, 32).Select(i => (byte)(value + i * 3)).ToArray();

    private EphemeralKey Ephemeral(byte value, bool fresh) =>
        fresh ? EphemeralKey.TryGenerate(Arena)! : EphemeralKey.TryFromSecret(Arena, Fill(value))!;

    private static byte[] Draw()
    {
        var nonce = new byte[32];
        Entropy.Fill(nonce);
        return nonce;
    }

    public void Dispose()
    {
        GatewaySide.Dispose();
        AgentSide.Dispose();
        GatewayKeys?.Dispose();
        AgentKeys?.Dispose();
        Agent.Dispose();
        Gateway.Dispose();
        Root.Dispose();
        Arena.Dispose();
    }
}
