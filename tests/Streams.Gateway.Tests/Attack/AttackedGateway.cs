using System.Collections.Concurrent;
using Streams.Gateway.Tests.Support;
using Streams.Testing;
using Streams.Testing.JsonAgents;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Tests.Attack;

/// <summary>One gateway that stands a whole matrix of attacks, so that a case costs a connection and not a start.</summary>
public sealed class AttackedGateway : IAsyncLifetime
{
    /// <summary>Attacks at once: refusals wait 25 ms each, and that need not be in a row.</summary>
    public const int Lanes = 16;

    private readonly List<AgentIdentity> _agents = [];
    private readonly List<byte[]> _seeds = [];

    internal GatewayFixture Fixture { get; private set; } = null!;

    /// <summary>An agent that the gateway knows.</summary>
    internal AgentIdentity Victim => _agents[0];

    /// <summary>Another one.</summary>
    internal AgentIdentity Neighbour => _agents[1];

    /// <summary>Known agents, one for each attack at a time: two sessions of one agent would displace each other.</summary>
    internal IReadOnlyList<AgentIdentity> Agents => _agents;

    /// <summary>Of the same agents, for whoever does without our keys.</summary>
    internal IReadOnlyList<byte[]> Seeds => _seeds;

    public async Task InitializeAsync()
    {
        Fixture = await GatewayFixture.StartAsync(options => options with { SourceRate = 100_000, SourceBurst = 100_000 });
        for (var i = 0; i < Lanes; i++)
        {
            _seeds.Add(JsonAgent.NewKey().Seed);
            _agents.Add(new AgentIdentity($"agent-{i:00}", SigningKey.FromSeed(_seeds[i])));
            await Fixture.EnrolAsync(_agents[i]);
        }

        await Eventually.TrueAsync(
            () => _agents.All(agent => Fixture.Server.Core.Identities.Find(agent.AgentId, agent.PublicKey, new byte[32], out _) == 32), "the agents are known");
    }

    public async Task DisposeAsync()
    {
        await Fixture.DisposeAsync();
        _agents.ForEach(agent => agent.Dispose());
    }

    internal Task<RawAgent> UpgradeAsync() => RawAgent.UpgradeAsync(Fixture.Server.Address, Protocol.BinarySubprotocol);

    /// <summary>Counters of one instrument, by tag.</summary>
    internal Dictionary<string, long> Counters(string instrument) =>
        Fixture.Counters.Where(counter => counter.Key.StartsWith(instrument + "{", StringComparison.Ordinal))
            .ToDictionary(counter => counter.Key[(instrument.Length + 1)..^1], counter => counter.Value);

    /// <summary>Runs all cases, some at a time; the lane is the case's for as long as it runs.</summary>
    internal static async Task RunAsync<T>(IEnumerable<T> cases, Func<T, int, Task> run)
    {
        var waiting = new ConcurrentQueue<T>(cases);
        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(async lane =>
        {
            while (waiting.TryDequeue(out var next))
            {
                await run(next, lane);
            }
        }));
    }

    /// <summary>What the store of sessions has of every agent.</summary>
    internal async Task<List<string>> SessionsAsync()
    {
        var sessions = new List<string>();
        foreach (var agent in _agents)
        {
            sessions.Add($"{agent.AgentId} {(await Fixture.Server.Core.Store.GetAsync(agent.AgentId))?.Revision}");
        }

        return sessions;
    }

    /// <summary>Runs attacks, and gives what the counters grew by. Nothing of a session may be left after them.</summary>
    /// <param name="begin">Whether sessions begin, which the store notes.</param>
    internal async Task<Dictionary<string, long>> CountAsync(string instrument, bool begin, Func<Task> attacks)
    {
        var before = Counters(instrument);
        var sessions = await SessionsAsync();
        await attacks();
        await Fixture.AssertNothingHeldAsync();
        if (!begin)
        {
            Assert.Equal(sessions, await SessionsAsync());
        }

        return Counters(instrument).Select(counter => (counter.Key, Value: counter.Value - before.GetValueOrDefault(counter.Key)))
            .Where(counter => counter.Value != 0).ToDictionary(counter => counter.Key, counter => counter.Value);
    }
}
