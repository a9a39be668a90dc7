using System.Buffers.Binary;
using System.Collections.Concurrent;
using Streams.Schema;

namespace Streams.AgentLink.Tests.Gateway;

/// <summary>A link under test with its run task and its events.</summary>
internal sealed class RunningLink : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;
    private ulong _connects;

    internal RunningLink(ScriptedGateway gateway, Func<AgentLinkOptions, AgentLinkOptions>? change = null, TimeProvider? time = null,
        Func<AgentLinkHooks, AgentLinkHooks>? hooks = null)
    {
        Link = new AgentLink((change ?? (o => o))(gateway.Options), gateway.Agent,
            (hooks ?? (h => h))(new AgentLinkHooks { NextConnectCounter = () => ++_connects, OnEvent = Events.Add }), time);
        _run = Task.Run(async () => await Link.RunAsync(_stop.Token));
    }

    internal AgentLink Link { get; }

    internal BlockingCollection<LinkEvent> Events { get; } = [];

    internal UInt128 Epoch
    {
        get
        {
            Span<byte> bytes = stackalloc byte[Schema.Epoch.Size];
            Link.Epoch.Write(bytes);
            return BinaryPrimitives.ReadUInt128BigEndian(bytes);
        }
    }

    internal AppendResult Append(PriorityClass priority, int length) => Link.TryAppend(priority, new TestSealer(length, priority));

    /// <summary>The next event of a kind; others are dropped.</summary>
    internal LinkEvent Next(LinkEventKind kind)
    {
        using var limit = new CancellationTokenSource(ScriptedGateway.Deadline);
        while (true)
        {
            var next = Events.Take(limit.Token);
            if (next.Kind == kind)
            {
                return next;
            }
        }
    }

    internal async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _run.WaitAsync(ScriptedGateway.Deadline);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Link.Dispose();
        Events.Dispose();
        _stop.Dispose();
    }
}
