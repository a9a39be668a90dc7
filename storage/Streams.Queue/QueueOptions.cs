using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Streams.Queue;

/// <summary>How to connect to NATS.</summary>
public sealed record QueueOptions
{
    /// <summary>As nats://127.0.0.1:4222.</summary>
    public required Uri Url { get; init; }

    public required QueueRole Role { get; init; }

    /// <summary>The role's NKey seed: a secret, never printed.</summary>
    public required string Seed { get; init; }

    /// <summary>Shown by nats-server in its connection list and log.</summary>
    public required string Name { get; init; }

    /// <summary>Patience with one request. JetStream answers in under a millisecond; a purge of a large stream takes longest.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest pause between attempts to reconnect. Short: while the queue is away, everything waits for it.</summary>
    public TimeSpan ReconnectWaitMax { get; init; } = TimeSpan.FromSeconds(1);

    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    // The record's own ToString would print the seed.
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(Name).Append(" as ").Append(Role).Append(" at ").Append(Url);
        return true;
    }
}
