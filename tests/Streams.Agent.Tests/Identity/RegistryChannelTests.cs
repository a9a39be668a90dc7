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
    private readonly FleetCertificate _other;
    private RegistryChannel _channel;
    private FleetCertificate _gateway;
    private int _renewals;

    public RegistryChannelTests()
    {
        (_gateway, _other) = (Certificate(1), Certificate(2));
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
        // Whatever one gateway says: only it may have the new key.
        Connected();
        Connected();
        Assert.Equal((true, false), (Files().HasOld, Files().HasNext));
        Connected(_other);
        Assert.False(Files().HasOld);
        Assert.Equal(request.PublicKey, Base64Url.EncodeToString(Present));
    }

    [Fact]
    public void A_third_key_is_made_beside_the_old_one_and_a_fourth_when_two_gateways_have_taken_it()
    {
        var first = Present;
        Rotate();
        Connected();
        var second = Present;
        Rotate();
        var third = Present;
        Assert.Equal([first, second, third], Kept());
        Connected();
        Assert.False(Files().MakeNext());
        Assert.Equal([first, second, third], Kept());
        // A process that begins anew tries the second; that one is good until the third was used.
        Restart();
        Assert.Equal(second, Present);
        Refused();
        Assert.Equal(third, Present);
        Connected();
        Connected(_other);
        Assert.Equal([third], Kept());
        Rotate();
        Assert.Equal(2, Kept().Count);
    }

    [Fact]
    public void Two_gateways_that_took_different_keys_are_no_two()
    {
        Rotate();
        Connected();
        Refused();
        Connected(_other);
        Assert.Equal(2, Kept().Count);
        _channel.Look();
        Answer(new RotateAnswer(RegistryRefusal.None, Request(_sent[^1]).PublicKey, 2));
        Connected(_other);
        Assert.Equal(2, Kept().Count);
        Refused();
        Refused();
        Connected();
        Assert.Single(Kept());
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
        var old = Present;
        Rotate();
        var next = Present;
        Restart();
        Assert.Equal(next, Present);
        Refused();
        Assert.Equal(old, Present);
        Refused();
        Assert.Equal(next, Present);
        // However often: each of the two is kept once.
        for (var i = 0; i < 1000; i++)
            Refused();
        Assert.Equal(2, _channel.KeysRead);
        Refused();
        Connected();
        Assert.Equal(old, Present);
        Assert.Equal([old, next], Kept());
        _channel.Look();
        var request = Request(_sent[^1]);
        Assert.Equal(Base64Url.EncodeToString(next), request.PublicKey);
        Assert.Equal(RegistryRefusal.None, request.Judge("web-1", old));
        Answer(new RotateAnswer(RegistryRefusal.None, request.PublicKey, 2));
        Assert.Equal(next, Present);
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
        _gateway = Certificate(7);
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
        Gateway = () => _gateway,
    };

    private FleetCertificate Certificate(ulong serial)
    {
        using var key = SigningKey.Generate();
        return FleetCertificate.Create(_root, CertificateUse.Gateway, "gateway", key.PublicKey, 1, 2, serial);
    }

    /// <summary>A change of the key that the gateway says is done.</summary>
    private void Rotate()
    {
        Assert.True(Files().MakeNext());
        _channel.Look();
        Answer(new RotateAnswer(RegistryRefusal.None, Request(_sent[^1]).PublicKey, 2));
    }

    private List<byte[]> Kept()
    {
        var kept = new List<byte[]>();
        foreach (var slot in new[] { KeySlot.Old, KeySlot.Present, KeySlot.Next }.Where(Files().Has))
        {
            using var key = Files().Read(slot);
            kept.Add(key.PublicKey.ToArray());
        }

        return kept;
    }

    private void Restart()
    {
        _channel.Dispose();
        _channel = Start();
    }

    private void Connected(FleetCertificate? gateway = null)
    {
        var usual = _gateway;
        _gateway = gateway ?? usual;
        _channel.OnEvent(new LinkEvent(LinkEventKind.Connected, ""));
        _gateway = usual;
    }

    private void Refused() => _channel.OnEvent(new LinkEvent(LinkEventKind.Refused, ""));

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
