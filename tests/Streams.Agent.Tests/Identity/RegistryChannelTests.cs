using System.Buffers.Text;
using Streams.Agent.Logging;
using Streams.Agent.Modules.Core.Identity;
using Streams.AgentLink;
using Streams.Control.Identity;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Agent.Tests.Identity;

/// <summary>A running agent's keys and roots: what it offers, what it believes, and what survives its process.</summary>
public sealed class RegistryChannelTests : IDisposable
{
    private readonly TempDirectory _folder = new("registry");
    private readonly SigningKey _root = SigningKey.Generate();
    private readonly List<ControlMessage> _sent = [];
    private RegistryChannel _channel;
    private int _renewals;

    public RegistryChannelTests()
    {
        using (Files().ReadOrMake())
        {
        }

        _channel = Start();
    }

    private byte[] Present => _channel.Identity.PublicKey.ToArray();

    public void Dispose()
    {
        _channel.Dispose();
        _root.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_next_key_is_offered_once_a_session_and_used_when_it_is_taken()
    {
        _channel.Look();
        Assert.Empty(_sent);
        var old = Present;
        Files().MakeNext();
        _channel.Look();
        _channel.Look();
        var request = Request(Assert.Single(_sent));
        Assert.Equal(RegistryRefusal.None, request.Judge("web-1", old));
        Answer(new RotateAnswer(RegistryRefusal.None, request.PublicKey, 2));
        Assert.Equal(1, _renewals);
        Assert.Equal(request.PublicKey, Base64Url.EncodeToString(Present));
        Assert.True(Files().HasOld);
        Connected();
        Assert.False(Files().HasOld);
        Assert.Equal(request.PublicKey, Base64Url.EncodeToString(Present));
    }

    [Fact]
    public void An_answer_that_was_lost_is_asked_for_again_by_the_next_process()
    {
        Files().MakeNext();
        _channel.Look();
        var lost = Request(_sent[0]);
        Restart();
        Connected();
        _channel.Look();
        Assert.Equal(lost.PublicKey, Request(_sent[1]).PublicKey);
    }

    [Fact]
    public void A_refusal_changes_nothing()
    {
        Files().MakeNext();
        var old = Present;
        _channel.Look();
        Answer(RotateAnswer.Refuse(RegistryRefusal.UnknownAgent));
        Assert.Equal(old, Present);
        Assert.Equal(0, _renewals);
        Assert.True(Files().HasNext);
    }

    /// <summary>A queue that was wiped and made from older rows: it knows the old key only.</summary>
    [Fact]
    public void Whichever_key_the_server_takes_is_found_by_trying()
    {
        Files().MakeNext();
        var old = Present;
        _channel.Look();
        Answer(new RotateAnswer(RegistryRefusal.None, Request(_sent[0]).PublicKey, 2));
        var next = Present;
        Restart();
        Assert.Equal(next, Present);
        _channel.OnEvent(new LinkEvent(LinkEventKind.Refused, ""));
        Assert.Equal(old, Present);
        _channel.OnEvent(new LinkEvent(LinkEventKind.Refused, ""));
        Assert.Equal(next, Present);
        // However often: each of the two was read once.
        for (var i = 0; i < 1000; i++)
            _channel.OnEvent(new LinkEvent(LinkEventKind.Refused, ""));
        Assert.Equal(2, _channel.KeysRead);
        _channel.OnEvent(new LinkEvent(LinkEventKind.Refused, ""));
        Connected();
        Assert.Equal(old, Present);
        Assert.Equal((true, false), (Files().HasNext, Files().HasOld));
        _channel.Look();
        Assert.Equal(Base64Url.EncodeToString(next), Request(_sent[^1]).PublicKey);
    }

    [Fact]
    public void The_highest_list_of_revoked_gateways_outlives_the_process()
    {
        using var stranger = SigningKey.Generate();
        Say(new RegistryEvent(Revocations: Text(RevocationList.Create(stranger, 9, 1, [7]).Bytes)));
        Assert.Null(_channel.Pinned.Revoked);
        Say(new RegistryEvent(Revocations: Text(RevocationList.Create(_root, 5, 1, [7]).Bytes)));
        Say(new RegistryEvent(Revocations: Text(RevocationList.Create(_root, 4, 1, []).Bytes)));
        Assert.True(_channel.Pinned.Revoked!.Contains(7));
        Restart();
        Assert.Equal(5UL, _channel.Pinned.Revoked!.Version);
        Assert.True(_channel.Pinned.Revoked.Contains(7));
    }

    [Fact]
    public void A_session_with_a_gateway_that_is_revoked_meanwhile_begins_anew()
    {
        _channel.GatewaySerial = () => 7;
        Say(new RegistryEvent(Revocations: Text(RevocationList.Create(_root, 5, 1, [8]).Bytes)));
        Assert.Equal(0, _renewals);
        Say(new RegistryEvent(Revocations: Text(RevocationList.Create(_root, 6, 1, [7, 8]).Bytes)));
        Assert.Equal(1, _renewals);
    }

    [Fact]
    public void The_next_root_is_pinned_for_good_and_other_roots_in_the_configuration_begin_anew()
    {
        using var next = SigningKey.Generate();
        using var third = SigningKey.Generate();
        Say(new RegistryEvent(Succession: Text(RootSuccession.Create(_root, next.PublicKey, 1).Bytes)));
        Assert.Equal([_root.PublicKey.ToArray(), next.PublicKey.ToArray()], _channel.Pinned.Roots.Keys);
        Restart();
        Assert.Equal(2, _channel.Pinned.Roots.Keys.Count);
        Say(new RegistryEvent(Succession: Text(RootSuccession.Create(next, next.PublicKey, 2).Bytes)));
        Restart();
        Assert.Equal([next.PublicKey.ToArray()], _channel.Pinned.Roots.Keys);
        Say(new RegistryEvent(Succession: Text(RootSuccession.Create(_root, third.PublicKey, 3).Bytes)));
        Assert.Equal([next.PublicKey.ToArray()], _channel.Pinned.Roots.Keys);
        Assert.Equal([third.PublicKey.ToArray()], new PinnedStatements(_folder.Path, new FleetRoots(third.PublicKey.ToArray())).Roots.Keys);
    }

    private AgentKeyFiles Files() => new(_folder.File("agent.key"));

    private RegistryChannel Start() => new(
        "web-1", Files(), new PinnedStatements(_folder.Path, new FleetRoots(_root.PublicKey.ToArray())), AgentLog.ToStandardError("error"), TimeProvider.System)
    {
        Send = message =>
        {
            _sent.Add(message);
            return true;
        },
        Renew = () => _renewals++,
    };

    private void Restart()
    {
        _channel.Dispose();
        _channel = Start();
    }

    private void Connected() => _channel.OnEvent(new LinkEvent(LinkEventKind.Connected, ""));

    private void Answer(RotateAnswer answer) => Assert.Equal(WireError.None, _channel.Take(
        _sent[^1] with { Type = MessageType.Response, Payload = IdentityJson.Write(answer, IdentityJson.Default.RotateAnswer) }));

    private void Say(RegistryEvent said) => Assert.Equal(WireError.None, _channel.Take(new ControlMessage(
        MessageType.Event, Channels.Registry, "roots", "core", 1, IdentityJson.Write(said, IdentityJson.Default.RegistryEvent))));

    private static RotateRequest Request(ControlMessage message)
    {
        Assert.True(IdentityJson.TryRead(message.Payload.Span, IdentityJson.Default.RegistryRequest, out var request));
        return request.Rotate!;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);
}
