using System.Collections.Concurrent;
using Streams.Gateway.Queueing;
using Streams.Queue;

namespace Streams.Gateway.Tests.Support;

/// <summary>A partition that answers as a test says, in the order of sending.</summary>
internal sealed class ScriptedQueue(PartitionOutlet outlet) : IPartitionQueue
{
    private readonly ConcurrentQueue<object> _inFlight = new();

    /// <summary>First batch numbers of everything that was sent, repeats included.</summary>
    public ConcurrentQueue<uint> Sent { get; } = new();

    /// <summary>Outcome of each message; null holds the answer back until <see cref="Answer"/>.</summary>
    public Func<MessageHeaders, PublishOutcome?> Script { get; set; } = _ => PublishOutcome.Acknowledged;

    /// <summary>Called when a drain begins; may throw.</summary>
    public Func<bool> Draining { get; set; } = () => true;

    public int InFlight => _inFlight.Count;

    public ValueTask SendAsync(string agentId, MessageHeaders headers, ReadOnlyMemory<byte> payload, object state, CancellationToken cancel)
    {
        Sent.Enqueue(headers.First);
        if (Script(headers) is { } outcome)
        {
            outlet.OnResult(outcome, state);
        }
        else
        {
            _inFlight.Enqueue(state);
        }

        return ValueTask.CompletedTask;
    }

    public void Answer(PublishOutcome outcome)
    {
        if (_inFlight.TryDequeue(out var state))
        {
            outlet.OnResult(outcome, state);
        }
    }

    public async Task DrainAsync(CancellationToken cancel)
    {
        Draining();
        while (!_inFlight.IsEmpty)
        {
            await Task.Delay(1, cancel);
        }
    }

    public ValueTask DisposeAsync()
    {
        while (!_inFlight.IsEmpty)
        {
            Answer(PublishOutcome.Ambiguous);
        }

        return ValueTask.CompletedTask;
    }
}
