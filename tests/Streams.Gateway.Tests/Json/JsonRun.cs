using System.Globalization;
using System.Text.Json.Nodes;
using Streams.Gateway.Tests.Support;
using Streams.Schema;
using Streams.Testing.JsonAgents;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Tests.Json;

/// <summary>A stranger's agent at the gateway of a test.</summary>
internal static class JsonRun
{
    private static ulong _connects;

    /// <summary>Enrols the agent and connects it; credit for events has come.</summary>
    public static async Task<JsonAgent> ConnectAsync(GatewayFixture fixture, string epoch, string agentId = "stranger-1", byte[]? seed = null)
    {
        var agent = await AcceptAsync(fixture, epoch, agentId, seed);
        await agent.ReadyAsync();
        await agent.WaitForAsync("session.flow.credit");
        return agent;
    }

    /// <summary>To F0; no ready yet.</summary>
    public static async Task<JsonAgent> AcceptAsync(GatewayFixture fixture, string epoch, string agentId = "stranger-1", byte[]? seed = null)
    {
        if (seed is null)
        {
            (seed, _) = JsonAgent.NewKey();
            using var identity = new AgentIdentity(agentId, SigningKey.FromSeed(seed));
            await fixture.EnrolAsync(identity);
            await Testing.Eventually.TrueAsync(
                () => fixture.Server.Core.Identities.Find(agentId, identity.PublicKey, new byte[32], out _) == 32, "the identity is known");
        }

        return await JsonAgent.ConnectAsync(
            new Uri($"ws://{fixture.Server.Address}"), agentId, seed, fixture.RootKey, epoch, Interlocked.Increment(ref _connects));
    }

    /// <summary>The same text without the one escape that the writer puts into base64.</summary>
    public static string Plain(string text) => text.Replace("\\u002B", "+", StringComparison.Ordinal);

    public static string NewEpoch() => Epoch.NewRandom().ToString();

    public static string Id(string epoch, uint lane, uint n) => string.Create(CultureInfo.InvariantCulture, $"{epoch}-{lane}-{n}");

    /// <summary>A batch of one exec.</summary>
    public static JsonObject Batch(string epoch, uint lane, uint n) => new()
    {
        ["epoch"] = epoch,
        ["lane"] = lane,
        ["n"] = n,
        ["class"] = "process_exec",
        ["schema"] = 1,
        ["events"] = new JsonArray(new JsonObject { ["time"] = 1_750_000_000_000_000, ["seq"] = n + 1, ["pid"] = 77, ["argv"] = "true" }),
    };

    public static Task SendAsync(JsonAgent agent, JsonObject batch, string? id = null) => agent.SendAsync(
        "agent.observability", "event", "observability", batch, id ?? Id(batch["epoch"]!.GetValue<string>(), batch["lane"]!.GetValue<uint>(), batch["n"]!.GetValue<uint>()));
}
