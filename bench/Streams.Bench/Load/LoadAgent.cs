using System.Net;
using Streams.AgentLink;
using Streams.AgentLink.Connect;
using Streams.Bench.Running;
using Streams.Bench.Wire;
using Streams.Schema;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Bench.Load;

/// <summary>One agent of a load: the real link, the real handshake, the real frames, fed with batches that were made before.</summary>
internal sealed class LoadAgent : IDisposable
{
    /// <summary>Batches that one agent begins behind the one before: a prime, so that few begin alike.</summary>
    private const int Stagger = 67;

    private readonly AgentLink.AgentLink _link;
    private readonly AgentIdentity _identity;
    private readonly CancellationTokenSource _stop = new();
    private readonly byte[][] _batches;
    private readonly bool _again;
    private Epoch _sensorEpoch;
    private Task? _run;
    private int _next;
    private ulong _connects;

    /// <param name="index">Number of the agent, which gives it a loopback address of its own: the gateway counts by source.</param>
    /// <param name="batches">What it sends, in order.</param>
    /// <param name="sensorEpoch">Of the sequence numbers in the batches; null: the batches are sent again and again, each time under an epoch of their own.</param>
    public LoadAgent(string id, int index, string keyFile, Uri gateway, FleetRoots roots, byte[][] batches, ITlsClient? tls = null, Epoch? sensorEpoch = null, string? spool = null, int spoolMebibytes = 0)
    {
        if (!KeyFileReader.TryRead(keyFile, KeyFileKind.Agent, out var key, out var error))
        {
            throw new BenchFailure(error!);
        }

        _batches = batches;
        _again = sensorEpoch is null;
        // Agents that send the same rows side by side would compress on disk as no fleet does.
        _next = _again ? (int)((long)index * Stagger % batches.Length) : 0;
        _sensorEpoch = sensorEpoch ?? Epoch.NewRandom();
        _identity = new AgentIdentity(id, key!);
        // Above any counter of a process that played this agent before; nobody is to find it again, so it need not be durable.
        _connects = (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        _link = new AgentLink.AgentLink(
            new AgentLinkOptions
            {
                Gateway = gateway,
                Tls = tls,
                Roots = roots,
                HostName = id,
                AgentVersion = "bench",
                LocalAddress = IPAddress.TryParse(gateway.Host, out var host) && IPAddress.IsLoopback(host) ? RawAgent.SourceOf(index) : null,
                // Enough for the bytes in flight between the send and the commit of a linger; the product's default serves one host.
                RetentionBytes = 16 * 1024 * 1024,
                SpoolDirectory = spool,
                SpoolBytes = spool is null ? 1L << 30 : (long)spoolMebibytes << 20,
            },
            _identity,
            new AgentLinkHooks { NextConnectCounter = () => ++_connects, OnEvent = Note });
    }

    public LinkStatus Status => _link.Status;

    /// <summary>What the link said last that was not good news; empty when there was nothing.</summary>
    public string Trouble { get; private set; } = "";

    /// <summary>True when the link has ended by itself, which it never should.</summary>
    public bool Ended => _run is { IsCompleted: true };

    public void Start() => _run ??= _link.RunAsync(_stop.Token).AsTask();

    /// <summary>Ends the session; the next begins at once.</summary>
    public void Renew() => _link.Renew();

    /// <summary>Gives the next batch to the link. False when it has no room.</summary>
    public bool TrySend()
    {
        if (_next == _batches.Length)
        {
            // Sequence numbers start again with every sensor epoch.
            _sensorEpoch = Epoch.NewRandom();
            _next = 0;
        }

        switch (_link.TryAppend(PriorityClass.Event, new TemplateSealer(_batches[_next], _sensorEpoch)))
        {
            case AppendResult.Appended:
                if (!_again)
                {
                    // Its bytes are the link's now; a long run must not keep what it has sent.
                    _batches[_next] = [];
                }

                _next++;
                return true;
            case AppendResult.Full:
                return false;
            default:
                throw new BenchFailure("a prepared batch is larger than a batch may be");
        }
    }

    /// <summary>Waits until every batch is committed, or a tombstone is.</summary>
    public async Task<bool> FlushAsync(TimeSpan deadline) => await _link.FlushAsync(deadline);

    /// <summary>Ends the session; the agent can only be disposed then.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        if (_run is { } run)
        {
            await run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _run?.Wait(TimeSpan.FromSeconds(5));
        _link.Dispose();
        _identity.Dispose();
        _stop.Dispose();
    }

    private void Note(LinkEvent happened)
    {
        if (happened.Kind is LinkEventKind.Disconnected or LinkEventKind.Refused or LinkEventKind.SpoolRefused)
        {
            Trouble = $"{happened.Kind}: {happened.Detail}";
        }
    }
}
