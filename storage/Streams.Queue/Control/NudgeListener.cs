using Microsoft.Extensions.Logging;
using NATS.Client.Core;

namespace Streams.Queue;

/// <summary>Hears of which agents a new command waits.</summary>
public sealed partial class NudgeListener : IAsyncDisposable
{
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closed = new();
    private readonly INatsSub<byte[]> _nudges;
    private readonly Task _loop;

    private NudgeListener(INatsSub<byte[]> nudges, ILogger logger, Action<string> nudged)
    {
        _logger = logger;
        _nudges = nudges;
        _loop = Task.Run(() => ListenAsync(nudged));
    }

    /// <param name="connection">Of the gateway's role.</param>
    /// <param name="nudged">Called with the agent's id; must be quick.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<NudgeListener> OpenAsync(QueueConnection connection, Action<string> nudged, CancellationToken cancel = default)
    {
        // What overflows is only later: the session's own look finds it.
        var nudges = await connection.Nats.SubscribeCoreAsync(
            Subjects.Nudge("*"),
            serializer: NatsRawSerializer<byte[]>.Default,
            opts: new NatsSubOpts { ChannelOpts = new NatsSubChannelOpts { Capacity = 4096 } },
            cancellationToken: cancel).ConfigureAwait(false);
        return new NudgeListener(nudges, connection.Options.LoggerFactory.CreateLogger<NudgeListener>(), nudged);
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        await _nudges.DisposeAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ListenAsync(Action<string> nudged)
    {
        var prefix = Subjects.Nudge("").Length;
        await foreach (var message in _nudges.Msgs.ReadAllAsync(_closed.Token).ConfigureAwait(false))
        {
            try
            {
                nudged(message.Subject[prefix..]);
            }
            catch (Exception error)
            {
                QueueMetrics.Shared.Error("nudge");
                LogNudge(message.Subject, error);
            }
        }
    }

    [LoggerMessage(4130, LogLevel.Error, "{Subject} was not handled")]
    private partial void LogNudge(string subject, Exception error);
}
