using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using Streams.Gateway.Tests.Support;
using Streams.Schema;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Gateway.Tests.Records;

public sealed class GatewayRecordsTests
{
    private const string Loopback = "::ffff:127.0.0.1";

    [Fact]
    public async Task A_session_is_a_row_when_it_begins_and_one_when_it_ends()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        await using var rows = new GatewayRows(fixture);
        using var identity = await fixture.EnrolAsync("agent-1");
        ulong generation;
        await using (var agent = await fixture.ConnectAsync(identity))
        {
            generation = agent.Session.Generation;
            var begin = await rows.FindAsync(ServerClasses.AgentSession, row => row["event"] == "begin");
            Assert.Equal(("agent-1", "gateway-1", "", Loopback), (begin["agent"], begin["gateway"], begin["reason"], begin["source"]));
            Assert.Equal(
                (generation.ToString(CultureInfo.InvariantCulture), agent.ConnectCounter.ToString(CultureInfo.InvariantCulture)),
                (begin["generation"], begin["connect_counter"]));
            Assert.Equal(("bin", "false", "test", ""), (begin["encoding"], begin["tls"], begin["agent_version"], begin["clone"]));
            await agent.Socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        }

        var end = await rows.FindAsync(ServerClasses.AgentSession, row => row["event"] == "end");
        Assert.Equal(
            ("agent-1", "closed", generation.ToString(CultureInfo.InvariantCulture)), (end["agent"], end["reason"], end["generation"]));
    }

    [Fact]
    public async Task Refusals_are_counted_rows_and_many_are_one_alert()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with
        {
            RecordInterval = TimeSpan.FromMilliseconds(500),
            AuthFailuresPerMinute = 5,
        });
        await using var rows = new GatewayRows(fixture);
        using var unknown = new AgentIdentity("agent-2", SigningKey.Generate());
        for (var i = 0; i < 8; i++)
        {
            await using var agent = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol);
            Assert.Equal(RefusalMessage.Bytes.ToArray(), await agent.AuthenticateAsync(unknown, fixture.Roots));
        }

        var failure = await rows.FindAsync(ServerClasses.AuthFailure, row => row["reason"] == "unknown_agent");
        Assert.Equal((Loopback, "agent-2", "gateway-1"), (failure["source"], failure["claimed_agent"], failure["gateway"]));
        Assert.InRange(int.Parse(failure["count"], CultureInfo.InvariantCulture), 1, 8);
        var alert = await rows.FindAsync(ServerClasses.SystemAlert, row => row["kind"] == "auth_failures");
        Assert.Equal("gateway-1", alert["subject"]);
        Assert.Contains("most from 127.0.0.1: unknown_agent", alert["detail"], StringComparison.Ordinal);
        Assert.Equal(1, fixture.Counter("streams.gateway.alerts{auth_failures}"));
        Assert.Single(fixture.Log.Lines, line => line.StartsWith("2060 ", StringComparison.Ordinal));
    }

    /// <summary>Within a session: a signature that is not the agent's, and a frame that its key does not open.</summary>
    [Fact]
    public async Task What_is_forged_in_a_session_is_a_row()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { RecordInterval = TimeSpan.FromMilliseconds(100) });
        await using var rows = new GatewayRows(fixture);
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        var message = new ControlMessage(MessageType.Response, Wire.Channels.Analysis, "forged", "analysis", 1_750_000_000_000_000, "{}"u8.ToArray());
        await agent.SendAsync(message, identity, payload => payload[^1] ^= 1);
        Assert.Equal(WireError.BadSignature, (await agent.WaitForErrorAsync()).Code);
        var signature = await rows.FindAsync(ServerClasses.AuthFailure, row => row["reason"] == "bad_signature");
        Assert.Equal((Loopback, "agent-1", "1"), (signature["source"], signature["claimed_agent"], signature["count"]));

        var frame = agent.Seal(FrameType.Heartbeat, [1], LaneClass.Control);
        frame[^1] ^= 1;
        await agent.SendRawAsync(frame);
        Assert.Equal(CloseCode.Protocol, await agent.WaitForCloseAsync());
        Assert.Equal("agent-1", (await rows.FindAsync(ServerClasses.AuthFailure, row => row["reason"] == "not_authentic"))["claimed_agent"]);
    }

    [Fact]
    public async Task What_an_upgrade_is_refused_for_is_a_row_and_no_alert()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with
        {
            RecordInterval = TimeSpan.FromMilliseconds(100),
            AuthFailuresPerMinute = 1,
        });
        await using var rows = new GatewayRows(fixture);
        using var http = new HttpClient();
        for (var i = 0; i < 4; i++)
        {
            using var answer = await http.GetAsync(new Uri($"http://{fixture.Server.Address}{Protocol.Path}"));
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        }

        var row = await rows.FindAsync(ServerClasses.AuthFailure, row => row["reason"] == "upgrade");
        Assert.Equal((Loopback, ""), (row["source"], row["claimed_agent"]));
        Assert.Equal(0, fixture.Counter("streams.gateway.alerts{auth_failures}"));
    }

    [Fact]
    public async Task A_refusal_does_not_wait_for_a_queue_that_is_away()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var unknown = new AgentIdentity("agent-2", SigningKey.Generate());
        await fixture.Nats.KillAsync();
        await Eventually.TrueAsync(() => !fixture.Server.Health().Reasons.SequenceEqual([]), "the queue is away");
        await using var agent = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol);
        Assert.Equal(RefusalMessage.Bytes.ToArray(), await agent.AuthenticateAsync(unknown, fixture.Roots));
        await fixture.Nats.RestartAsync();
    }
}
