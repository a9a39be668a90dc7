using System.Collections.Concurrent;
using System.Text;
using Streams.AgentLink.Session;
using Streams.AgentLink.Tests.Gateway;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Tests;

/// <summary>Control messages at the agent's end.</summary>
public sealed class MessageTests
{
    private static ControlMessage Command(string id) => new(MessageType.Request, Channels.Control, id, "core", 7, Encoding.UTF8.GetBytes("{}"));

    private static ControlMessage Answer(string id, int bytes = 2) => new(MessageType.Response, Channels.Control, id, "core", 7, new byte[bytes]);

    [Fact]
    public async Task A_verified_message_reaches_the_hook_and_answers_go_out_signed()
    {
        using var gateway = new ScriptedGateway();
        using var taken = new BlockingCollection<ControlMessage>();
        await using var link = new RunningLink(gateway, hooks: hooks => hooks with { OnMessage = Take(taken) });
        await using var peer = await gateway.AcceptSessionAsync();
        await peer.SendAsync(Command("cmd-1"));
        Assert.Equal("cmd-1", Next(taken).Id);
        Assert.True(link.Link.TrySend(Answer("cmd-1")));
        Assert.Equal("cmd-1", (await peer.ReceiveControlAsync()).Id);
    }

    [Fact]
    public async Task What_is_not_the_gateways_or_not_of_the_table_is_refused_by_name()
    {
        using var gateway = new ScriptedGateway();
        using var taken = new BlockingCollection<ControlMessage>();
        await using var link = new RunningLink(gateway, hooks: hooks => hooks with { OnMessage = Take(taken) });
        await using var peer = await gateway.AcceptSessionAsync();
        await peer.SendAsync(Command("forged"), payload => payload[^1] ^= 1);
        Assert.Equal(new ErrorMessage(WireError.BadSignature, Channels.Control, "forged", ""), await peer.ReceiveErrorAsync());
        await peer.SendAsync(Command("odd") with { Module = "policy" });
        Assert.Equal(new ErrorMessage(WireError.WrongModule, Channels.Control, "odd", ""), await peer.ReceiveErrorAsync());
        await peer.SendAsync(FrameType.GatewayMessage, [1]);
        Assert.Equal(new ErrorMessage(WireError.Malformed, 0, "", ""), await peer.ReceiveErrorAsync());
        await peer.SendAsync(Command("good"));
        Assert.Equal("good", Next(taken).Id);
        Assert.Equal(3, link.Events.Count(e => e.Kind == LinkEventKind.MessageRefused));
    }

    [Fact]
    public async Task Without_a_hook_a_message_is_unsupported()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        await using var peer = await gateway.AcceptSessionAsync();
        await peer.SendAsync(Command("cmd-1"));
        Assert.Equal(WireError.Unsupported, (await peer.ReceiveErrorAsync()).Code);
    }

    [Fact]
    public async Task The_gateways_refusal_reaches_its_hook_and_a_token_is_taken()
    {
        using var gateway = new ScriptedGateway();
        using var refused = new BlockingCollection<ErrorMessage>();
        await using var link = new RunningLink(gateway, hooks: hooks => hooks with { OnRefused = refused.Add });
        await using var peer = await gateway.AcceptSessionAsync();
        var payload = new byte[ErrorMessage.MaxBytes];
        var error = new ErrorMessage(WireError.Unsupported, Channels.Control, "cmd-1", "");
        await peer.SendAsync(FrameType.GatewayError, payload[..error.Write(payload)]);
        Assert.Equal(error, Next(refused));
        var token = new byte[TokenMessage.MaxBytes];
        await peer.SendAsync(FrameType.Token, token[..TokenMessage.Write("a.b.c"u8, token)]);
        // An empty one is malformed, and ends the session: so it was read.
        await peer.SendAsync(FrameType.Token, [0, 0]);
        Assert.Contains("4401", (await Assert.ThrowsAsync<InvalidOperationException>(() => peer.ReceiveAsync(FrameType.Data))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_sent_while_no_session_was_goes_out_in_the_next_in_order()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        for (var i = 0; i < MessageOutbox.MaxMessages; i++)
        {
            Assert.True(link.Link.TrySend(Answer($"m-{i}")));
        }

        Assert.False(link.Link.TrySend(Answer("more")));
        await using var peer = await gateway.AcceptSessionAsync();
        for (var i = 0; i < MessageOutbox.MaxMessages; i++)
        {
            Assert.Equal($"m-{i}", (await peer.ReceiveControlAsync()).Id);
        }
    }

    [Fact]
    public void The_outbox_is_bounded_in_bytes_and_takes_only_what_an_agent_may_send()
    {
        var outbox = new MessageOutbox();
        var taken = 0;
        while (outbox.TryAdd(Answer("big", 16_000)))
        {
            taken++;
        }

        Assert.Equal(MessageOutbox.MaxBytes / MessageFrame.GetLength(Answer("big", 16_000)), taken);
        Assert.True(outbox.TryTake(out _, out _));
        Assert.True(outbox.TryAdd(Answer("big", 16_000)));
        Assert.Throws<ArgumentException>(() => new MessageOutbox().TryAdd(Answer("big", MessageOutbox.MaxMessageBytes)));
        Assert.Throws<ArgumentException>(() => outbox.TryAdd(Command("cmd-1")));
        Assert.Throws<ArgumentException>(() => outbox.TryAdd(Answer("a b")));
    }

    [Fact]
    public async Task A_list_of_revoked_gateways_is_taken_when_a_pinned_root_has_signed_it()
    {
        using var gateway = new ScriptedGateway();
        using var lists = new BlockingCollection<RevocationList>();
        using var stranger = SigningKey.Generate();
        await using var link = new RunningLink(gateway, hooks: hooks => hooks with { OnRevocations = lists.Add });
        await using (await gateway.AcceptSessionAsync(p => p.Revocations = RevocationList.Create(stranger, 9, 1, [1, 2]).Bytes.ToArray()))
        {
            link.Next(LinkEventKind.RevocationsRefused);
        }

        await using var peer = await gateway.AcceptSessionAsync(p => p.Revocations = RevocationList.Create(gateway.Root, 3, 1, [77, 78]).Bytes.ToArray());
        var list = Next(lists);
        Assert.Equal((3UL, true, false), (list.Version, list.Contains(77), list.Contains(1)));
        Assert.Empty(lists);
    }

    [Fact]
    public async Task A_list_that_cannot_be_kept_ends_the_attempt_and_gives_its_keys_back()
    {
        using var gateway = new ScriptedGateway();
        var left = 6;
        await using var link = new RunningLink(gateway, hooks: hooks => hooks with
        {
            OnRevocations = _ =>
            {
                if (Interlocked.Decrement(ref left) >= 0)
                {
                    throw new IOException("the disk is full");
                }
            },
        });
        for (var i = 0; i < 6; i++)
        {
            await using var peer = await gateway.AcceptAsync();
            peer.Revocations = RevocationList.Create(gateway.Root, 1, 1, [77]).Bytes.ToArray();
            await Assert.ThrowsAnyAsync<Exception>(peer.HandshakeAsync);
            Assert.Contains("the disk is full", link.Next(LinkEventKind.Refused).Detail, StringComparison.Ordinal);
        }

        await using var last = await gateway.AcceptSessionAsync(p => p.Revocations = RevocationList.Create(gateway.Root, 1, 1, [77]).Bytes.ToArray());
        link.Next(LinkEventKind.Connected);
    }

    [Fact]
    public async Task A_gateway_that_is_revoked_gets_no_session()
    {
        using var gateway = new ScriptedGateway();
        RevocationList? known = null;
        await using var link = new RunningLink(
            gateway, hooks: hooks => hooks with { Revoked = () => Volatile.Read(ref known), OnRevocations = list => Volatile.Write(ref known, list) });
        // It shows the list that names itself: the agent goes before it is ready.
        await using (var peer = await gateway.AcceptAsync())
        {
            peer.Revocations = RevocationList.Create(gateway.Root, 1, 1, [1]).Bytes.ToArray();
            var closed = await Assert.ThrowsAsync<InvalidOperationException>(peer.HandshakeAsync);
            Assert.Contains("4400", closed.Message, StringComparison.Ordinal);
        }

        Assert.Contains("CertificateRevoked", link.Next(LinkEventKind.Refused).Detail, StringComparison.Ordinal);
        // And from now on it does not even say who it is.
        await using var again = await gateway.AcceptAsync();
        using var handshake = await again.HelloAsync();
        Assert.Contains("4400", (await Assert.ThrowsAsync<InvalidOperationException>(() => again.ReceiveMessageAsync())).Message, StringComparison.Ordinal);
    }

    private static Func<ControlMessage, WireError> Take(BlockingCollection<ControlMessage> taken) => message =>
    {
        taken.Add(message);
        return WireError.None;
    };

    private static T Next<T>(BlockingCollection<T> queue)
    {
        using var limit = new CancellationTokenSource(ScriptedGateway.Deadline);
        return queue.Take(limit.Token);
    }
}
