using System.Diagnostics;
using System.Globalization;
using Streams.Bench.Load;
using Streams.Bench.Running;
using Streams.Schema;
using Streams.Wire.Handshake;

namespace Streams.Bench.Wire;

/// <summary>Small messages over one connection, from the sender to rows that are committed.</summary>
internal static class MessageCase
{
    private const int Prepared = 20_000;
    /// <summary>Three times as long as an agent's burst lasts: a rate that is above its limit would not hold.</summary>
    private static readonly TimeSpan Load = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FlushDeadline = TimeSpan.FromSeconds(60);

    /// <summary>streams.v1.bin: batches of one row, as many in a frame as have come since the last one.</summary>
    /// <returns>Batches a second, from the first append to the commit of the last.</returns>
    /// <exception cref="BenchFailure">A row is missing or doubled.</exception>
    public static async Task<double> BinaryAsync(string data, EngineClient rows, Swarm swarm, CancellationToken stop)
    {
        const string Agent = "wire-messages";
        var key = Path.Combine(Path.GetDirectoryName(data)!, Agent + ".key");
        await StreamsCommand.RunAsync(["keys", "create-agent", Agent, "--key-file", key, "--data", data], stop);
        using var mix = new EventMix(1, rowsPerBatch: 1);
        using var agent = new LoadAgent(Agent, 0, key, swarm.Options.Gateway, swarm.Options.Roots, mix.Batches(Prepared));
        agent.Start();
        while (!agent.Status.Connected)
        {
            await Task.Delay(20, stop);
        }

        var clock = Stopwatch.StartNew();
        var sent = await Task.Factory.StartNew(() => Send(agent), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (!await agent.FlushAsync(FlushDeadline))
        {
            throw new BenchFailure($"not everything was committed within {FlushDeadline.TotalSeconds:0} s: {agent.Status}");
        }

        var seconds = clock.Elapsed.TotalSeconds;
        return await RateAsync(rows, Agent, sent, seconds, stop);
    }

    /// <summary>streams.v1.json: batches of one event, each a message with a signature of its own.</summary>
    /// <returns>Messages a second, from the first to the commit of the last.</returns>
    /// <exception cref="BenchFailure">A row is missing or doubled.</exception>
    public static async Task<double> JsonAsync(EngineClient rows, Swarm swarm, CancellationToken stop)
    {
        const int Index = 0;
        var claims = new AgentClaims(0, 1, swarm.Epochs[Index], ++swarm.Counters[Index], Catalogue.Digest.ToArray());
        using var agent = await RawJsonAgent.ConnectAsync(swarm.Gateway, swarm.Identities[Index], swarm.Options.Roots, swarm.Arena, claims, stop);
        var clock = Stopwatch.StartNew();
        await agent.SendAsync(Load, FlushDeadline, stop);
        var seconds = clock.Elapsed.TotalSeconds;
        return await RateAsync(rows, swarm.Identities[Index].AgentId, agent.Sent, seconds, stop);
    }

    private static async Task<double> RateAsync(EngineClient rows, string agent, long sent, double seconds, CancellationToken stop)
    {
        long stored = 0;
        foreach (var table in new[] { "process_exec", "network_connect" })
        {
            stored += long.Parse((await rows.QueryAsync($"SELECT count() FROM {table} WHERE agent_id = '{agent}'", stop))[0][0], CultureInfo.InvariantCulture);
        }

        return stored == sent ? stored / seconds : throw new BenchFailure($"{sent} messages were sent, {stored} are rows");
    }

    private static long Send(LoadAgent agent)
    {
        long sent = 0;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Load;)
        {
            if (agent.TrySend())
            {
                sent++;
            }
            else
            {
                Thread.Sleep(1);
            }
        }

        return sent;
    }
}
