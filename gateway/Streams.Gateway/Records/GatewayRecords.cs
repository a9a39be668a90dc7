using System.Collections.Frozen;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Streams.Control.Identity;
using Streams.Gateway.Auth;
using Streams.Gateway.Routing;
using Streams.Gateway.Sessions;
using Streams.Queue;
using Streams.Queue.Producing;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Records;

/// <summary>
/// What the gateway says as rows: sessions as they begin and end, refusals counted over <see cref="GatewayOptions.RecordInterval"/>, and an
/// alert when there are many. Nobody waits for any of it: rows are appended to a bounded producer and sent by it.
/// </summary>
internal sealed class GatewayRecords : IAsyncDisposable
{
    private static readonly FrozenDictionary<RefusalReason, string> Names = SnakeCase<RefusalReason>();
    private static readonly FrozenDictionary<RegistryRefusal, string> RegistryNames = SnakeCase<RegistryRefusal>();

    private readonly RowProducer _producer;
    private readonly GatewayOptions _options;
    private readonly string _gateway;
    private readonly GatewayMetrics _metrics;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly AuthFailures _failures = new();
    private readonly FailureAlarm _alarm;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    private GatewayRecords(RowProducer producer, GatewayOptions options, string gateway, GatewayMetrics metrics, ILogger logger, TimeProvider time)
    {
        _producer = producer;
        _options = options;
        _gateway = gateway;
        _metrics = metrics;
        _logger = logger;
        _time = time;
        _alarm = new FailureAlarm(options.AuthFailuresPerMinute, Math.Max(1, (int)(TimeSpan.FromMinutes(1) / options.RecordInterval)));
        _loop = Task.Run(RunAsync);
    }

    /// <exception cref="QueueException">The queue cannot be used.</exception>
    public static async Task<GatewayRecords> OpenAsync(
        QueueConnection queue, GatewayOptions options, string gateway, GatewayMetrics metrics, ILogger logger, TimeProvider time,
        CancellationToken cancel)
    {
        var producer = await RowProducer.OpenAsync(
            queue, new RowProducerOptions { Role = "gateway", Name = gateway, Partitions = options.Partitions }, cancel).ConfigureAwait(false);
        return new GatewayRecords(producer, options, gateway, metrics, logger, time);
    }

    /// <summary>A handshake was refused.</summary>
    public void Refused(RefusalReason reason, string agent, string remote)
    {
        // A peer that went away, or that came when there was no room, was not judged.
        if (reason != RefusalReason.Disconnected)
        {
            Note(Names.GetValueOrDefault(reason, "other"), agent, remote, reason != RefusalReason.Overloaded);
        }
    }

    /// <summary>The Registry said no to who asked for a name or another key.</summary>
    public void Refused(RegistryRefusal reason, string agent, string remote) => RefusedWithin(RegistryNames[reason], agent, remote);

    /// <summary>Somebody with the keys of a session sent what is not its peer's: a message that does not open, a signature or a token that is not good.</summary>
    public void RefusedWithin(string reason, string agent, string remote) => Note(reason, agent, remote, isAttempt: true);

    /// <summary>A connection was refused before its handshake.</summary>
    public void Refused(string reason, string remote) => Note(reason, "", remote, isAttempt: false);

    public void Began(AgentRoute route, SessionFacts facts) => RecordRows.Changed(_producer, _gateway, IsTls, route, facts, null);

    public void Ended(AgentRoute route, SessionFacts facts, SessionEnd end) =>
        RecordRows.Changed(_producer, _gateway, IsTls, route, facts, end.Label());

    /// <summary>A person must look: a log event, a counter and a row.</summary>
    public void Alert(string kind, string subject, string detail)
    {
        _metrics.Alerted(kind);
        _logger.SystemAlert(kind, subject, detail);
        _producer.TryAlert(kind, subject, detail);
    }

    /// <summary>Sends what waits, for a bounded time; the rest is gone.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        await _producer.StopAsync(patience).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        await _producer.DisposeAsync().ConfigureAwait(false);
    }

    private static FrozenDictionary<T, string> SnakeCase<T>()
        where T : struct, Enum => Enum.GetValues<T>().ToFrozenDictionary(reason => reason, reason => JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.ToString()));

    private bool IsTls => _options.TlsCertificateFile is not null;

    private void Note(string reason, string agent, string remote, bool isAttempt) =>
        _failures.Note(new AuthFailure(SourcePrefix.Of(remote), agent, reason, isAttempt));

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await Task.Delay(_options.RecordInterval, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Tell();
        }
    }

    private void Tell()
    {
        var attempts = 0L;
        (AuthFailure Failure, uint Count) most = default;
        foreach (var (failure, count) in _failures.Take())
        {
            RecordRows.Failed(_producer, _gateway, failure, count);
            if (failure.IsAttempt)
            {
                attempts += count;
                most = count > most.Count ? (failure, count) : most;
            }
        }

        if (!_alarm.Look(attempts))
        {
            return;
        }

        if (_alarm.IsRaised)
        {
            var source = most.Failure.Source is { } prefix ? prefix.ToString() : "many";
            Alert("auth_failures", _gateway, $"{_alarm.Total} handshakes were refused within a minute, most from {source}: {most.Failure.Reason}");
        }
        else
        {
            _logger.FailuresOver(_alarm.Total);
        }
    }
}
