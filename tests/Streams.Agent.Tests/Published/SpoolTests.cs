using System.Text.Json;
using Streams.AgentLink.Tests.Gateway;
using Streams.Schema;
using Streams.Testing;
using Streams.Wire.Messages;

namespace Streams.Agent.Tests.Published;

/// <summary>The published agent's spool, over the death of the process.</summary>
[Collection(nameof(PublishedAgent))]
public sealed class SpoolTests
{
    [Fact]
    public async Task What_a_killed_agent_spooled_is_shown_sent_by_the_next_and_then_gone()
    {
        using var gateway = new ScriptedGateway();
        using var agent = PublishedAgent.Start(gateway, """
            "telemetry": { "interval_seconds": 1 },
            "observability": { "enabled": false }
            """);
        await Eventually.TrueAsync(() => Batches(agent, out _, out _) >= 3, "three batches in the spool", TimeSpan.FromSeconds(20));
        var kept = Batches(agent, out var epoch, out var states);
        Assert.Equal(["open"], states);
        agent.Kill();
        agent.StartAgain();

        await using var peer = await SessionAsync(gateway);
        await peer.GrantAllAsync(1 << 24);
        var old = new List<BatchName>();
        while (old.Count < kept)
        {
            old.AddRange((await peer.ReceiveDataAsync()).Batches.Select(b => b.Name).Where(name => name.Epoch.ToString() == epoch));
        }

        Assert.Equal(Enumerable.Range(0, old.Count).Select(n => (uint)n), old.Select(name => name.N));
        var number = UInt128.Parse(epoch, System.Globalization.NumberStyles.HexNumber);
        await peer.CommitAsync(new LaneWatermark(number, old[0].Lane, (uint)old.Count));
        await Eventually.TrueAsync(() => Batches(agent, out var now, out _) > 0 && now != epoch,
            "the old lane's file gone", TimeSpan.FromSeconds(20));
        PublishedAgent.SendSignal(agent.Process, "TERM");
        Assert.True(agent.Process.WaitForExit(10_000), "it did not end");
    }

    /// <summary>Batches of the oldest lane of the metric class, by the agent's own command beside the running agent.</summary>
    private static int Batches(PublishedAgent agent, out string epoch, out List<string> states)
    {
        var (code, text, error) = PublishedAgent.RunToEnd("spool", "--json", "--config", agent.Configuration);
        Assert.Equal((0, ""), (code, error));
        using var document = JsonDocument.Parse(text);
        var segments = document.RootElement.GetProperty("segments").EnumerateArray()
            .Where(s => s.GetProperty("class").GetString() == "metric").ToList();
        var metric = document.RootElement.GetProperty("classes").EnumerateArray()
            .Single(c => c.GetProperty("class").GetString() == "metric");
        Assert.Equal(segments.Count, metric.GetProperty("segments").GetInt32());
        Assert.Equal(128L << 20, metric.GetProperty("quota_bytes").GetInt64());
        states = [.. segments.Select(s => s.GetProperty("state").GetString()!)];
        epoch = segments.Count == 0 ? "" : segments[0].GetProperty("epoch").GetString()!;
        return segments.Count == 0 ? 0 : segments[0].GetProperty("batches").GetInt32();
    }

    /// <summary>The first connection of a living agent: that of the dead one may still wait in the listener.</summary>
    private static async Task<ScriptedPeer> SessionAsync(ScriptedGateway gateway)
    {
        while (true)
        {
            try
            {
                return await gateway.AcceptSessionAsync();
            }
            catch (Exception exception) when (exception is System.Net.WebSockets.WebSocketException or IOException
                or System.Net.Sockets.SocketException
                or InvalidOperationException)
            {
                // A closed one: the next.
            }
        }
    }
}
