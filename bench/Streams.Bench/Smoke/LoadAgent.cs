using Streams.AgentLink;
using Streams.AgentLink.Connect;
using Streams.Bench.Running;
using Streams.Schema;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Bench.Smoke;

/// <summary>One agent that sends prepared batches as fast as credit lets it: the real link, the real handshake, the real frames.</summary>
internal sealed class LoadAgent : IDisposable
{
    private static readonly TimeSpan SpaceWait = TimeSpan.FromMilliseconds(100);

    private readonly AgentLink.AgentLink _link;
    private readonly AgentIdentity _identity;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;
    private readonly byte[][] _batches;
    private readonly int _rowsPerBatch;

    public LoadAgent(string id, string keyFile, string stateFile, Uri gateway, FleetRoots roots, byte[][] batches, int rowsPerBatch = EventMix.RowsPerBatch)
    {
        _batches = batches;
        _rowsPerBatch = rowsPerBatch;
        if (!KeyFileReader.TryRead(keyFile, KeyFileKind.Agent, out var key, out var error))
        {
            throw new BenchFailure(error!);
        }
        _identity = new AgentIdentity(id, key!);
        var counter = new ConnectCounterFile(stateFile);
        _link = new AgentLink.AgentLink(
            new AgentLinkOptions
            {
                Gateway = gateway,
                Roots = roots,
                HostName = id,
                AgentVersion = "bench",
                // Enough for the bytes in flight between the send and the commit of a linger; the product's default serves one host.
                RetentionBytes = 16 * 1024 * 1024,
            },
            _identity,
            new AgentLinkHooks { NextConnectCounter = counter.Next });
        _run = _link.RunAsync(_stop.Token).AsTask();
    }

    public long RowsSent { get; private set; }

    public LinkStatus Status => _link.Status;

    /// <summary>Appends batches until <paramref name="until"/>; blocks while the retention is full. Run on a thread of its own.</summary>
    public void Send(DateTime until)
    {
        var sensorEpoch = Epoch.NewRandom();
        var next = 0;
        while (DateTime.UtcNow < until && !_run.IsCompleted)
        {
            if (next == _batches.Length)
            {
                // Sequence numbers start again with every sensor epoch.
                sensorEpoch = Epoch.NewRandom();
                next = 0;
            }
            switch (_link.TryAppend(PriorityClass.Event, new TemplateSealer(_batches[next], sensorEpoch)))
            {
                case AppendResult.Appended:
                    next++;
                    RowsSent += _rowsPerBatch;
                    break;
                case AppendResult.Full:
                    _link.WaitForSpace(SpaceWait);
                    break;
                default:
                    throw new BenchFailure("a prepared batch is larger than a batch may be");
            }
        }
    }

    /// <summary>Waits until every batch is committed.</summary>
    public async Task FlushAsync(TimeSpan deadline)
    {
        if (!await _link.FlushAsync(deadline))
        {
            throw new BenchFailure($"not everything was committed within {deadline.TotalSeconds:0} s: {_link.Status}");
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _run.Wait(TimeSpan.FromSeconds(5));
        _link.Dispose();
        _identity.Dispose();
        _stop.Dispose();
    }
}
