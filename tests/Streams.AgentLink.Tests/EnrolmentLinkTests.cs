using System.Text;
using Streams.AgentLink.Tests.Gateway;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Tests;

/// <summary>A question to the registry before there is an identity.</summary>
public sealed class EnrolmentLinkTests
{
    private static ControlMessage Request { get; } =
        new(MessageType.Request, Channels.Registry, "enrol-1", "core", 7, Encoding.UTF8.GetBytes("{\"secret\":\"swordfish\"}"));

    [Fact]
    public async Task The_answer_comes_back_and_the_key_is_the_proved_one()
    {
        using var gateway = new ScriptedGateway();
        using var key = SigningKey.Generate();
        var asking = EnrolmentLink.AskAsync(gateway.Options, key, Request);
        await using var peer = await gateway.AcceptSessionAsync();
        Assert.Equal((SessionMode.Enrol, ""), (peer.Auth!.Mode, peer.Auth.AgentId));
        Assert.Equal(key.PublicKey.ToArray(), peer.Auth.PublicKey.ToArray());
        Assert.Equal(0UL, peer.Ready!.Generation);
        var request = await peer.ReceiveControlAsync();
        Assert.Equal(Request.Payload.ToArray(), request.Payload.ToArray());

        // What is about something else is passed over.
        await peer.SendAsync(Request with { Type = MessageType.Response, Id = "another" });
        await peer.SendAsync(Request with { Type = MessageType.Response, Payload = "{}"u8.ToArray() });
        var result = await asking.WaitAsync(ScriptedGateway.Deadline);
        Assert.Equal("{}", Encoding.UTF8.GetString(result.Answer!.Payload.Span));
        Assert.Contains("1000", (await Assert.ThrowsAsync<InvalidOperationException>(() => peer.ReceiveMessageAsync())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_gateway_says_against_it_is_told()
    {
        using var gateway = new ScriptedGateway();
        using var key = SigningKey.Generate();
        var asking = EnrolmentLink.AskAsync(gateway.Options, key, Request);
        await using var peer = await gateway.AcceptSessionAsync();
        await peer.ReceiveControlAsync();
        var payload = new byte[ErrorMessage.MaxBytes];
        var length = new ErrorMessage(WireError.Unavailable, Channels.Registry, "enrol-1", "").Write(payload);
        await peer.SendAsync(FrameType.GatewayError, payload[..length]);
        Assert.Equal(new EnrolmentResult(null, WireError.Unavailable, "unavailable"), await asking.WaitAsync(ScriptedGateway.Deadline));
    }

    [Fact]
    public async Task An_answer_that_the_gateways_key_has_not_signed_is_none()
    {
        using var gateway = new ScriptedGateway();
        using var key = SigningKey.Generate();
        var asking = EnrolmentLink.AskAsync(gateway.Options, key, Request);
        await using var peer = await gateway.AcceptSessionAsync();
        await peer.ReceiveControlAsync();
        await peer.SendAsync(Request with { Type = MessageType.Response }, bytes => bytes[^1] ^= 1);
        var result = await asking.WaitAsync(ScriptedGateway.Deadline);
        Assert.Null(result.Answer);
        Assert.Contains("bad_signature", result.Detail, StringComparison.Ordinal);
    }

    /// <summary>The secret is shown to nobody whom the pinned root has not certified.</summary>
    [Fact]
    public async Task Another_root_hears_nothing()
    {
        using var gateway = new ScriptedGateway();
        using var stranger = SigningKey.Generate();
        using var key = SigningKey.Generate();
        var asking = EnrolmentLink.AskAsync(gateway.Options with { Roots = new FleetRoots(stranger.PublicKey.ToArray()) }, key, Request);
        await using var peer = await gateway.AcceptAsync();
        using var handshake = await peer.HelloAsync();
        Assert.Contains("UnknownRoot", (await asking.WaitAsync(ScriptedGateway.Deadline)).Detail, StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<Exception>(() => peer.ReceiveMessageAsync());
    }

    [Fact]
    public async Task A_gateway_that_is_not_there_or_goes_is_a_result()
    {
        using var gateway = new ScriptedGateway();
        using var key = SigningKey.Generate();
        var nobody = await EnrolmentLink.AskAsync(gateway.Options with { Gateway = new Uri("ws://127.0.0.1:1") }, key, Request);
        Assert.Equal((null, WireError.None), (nobody.Answer, nobody.Error));
        Assert.NotEmpty(nobody.Detail);
        var asking = EnrolmentLink.AskAsync(gateway.Options, key, Request);
        await using var peer = await gateway.AcceptSessionAsync();
        peer.Cut();
        Assert.Null((await asking.WaitAsync(ScriptedGateway.Deadline)).Answer);
    }
}
