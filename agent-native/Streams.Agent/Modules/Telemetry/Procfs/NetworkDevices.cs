using System.Text;

namespace Streams.Agent.Modules.Telemetry.Procfs;

/// <summary>/proc/net/dev: counters since boot of each interface, and from /sys/class/net whether it is up.</summary>
/// <param name="openState">Opens an interface's operstate; asked once a name.</param>
internal sealed class NetworkDevices(Func<string, ProcFile> openState) : IDisposable
{
    /// <summary>Hosts with containers come and go through thousands of names: above this many open files, start over.</summary>
    private const int MaximumOpen = 64;

    private const int Fields = 16;
    private readonly List<(byte[] Name, ProcFile State)> _known = [];

    public static NetworkDevices OfThisHost(ProcBuffer buffer) => new(name => new ProcFile($"/sys/class/net/{name}/operstate", buffer));

    /// <param name="text">Must not be in the buffer of the operstate files.</param>
    public void Read(ReadOnlySpan<byte> text, IMetricSink sink)
    {
        Span<ulong> n = stackalloc ulong[Fields];
        var lines = new ProcText(text);
        while (lines.TryLine(out var line))
        {
            // The two lines of headings have a bar; an interface's first number may follow the colon without a blank.
            var colon = line.LastIndexOf((byte)':');
            if (colon < 0 || line.Contains((byte)'|'))
                continue;
            var device = line[..colon].Trim((byte)' ');
            var rest = line[(colon + 1)..];
            var fields = 0;
            while (fields < Fields && ProcText.TryNumber(ref rest, out var value))
                n[fields++] = value;
            if (fields < Fields)
                continue;
            sink.Add("net.received_bytes"u8, device, n[0], MetricUnit.Bytes);
            sink.Add("net.received_packets"u8, device, n[1], MetricUnit.Count);
            sink.Add("net.received_errors"u8, device, n[2], MetricUnit.Count);
            sink.Add("net.received_drops"u8, device, n[3], MetricUnit.Count);
            sink.Add("net.sent_bytes"u8, device, n[8], MetricUnit.Bytes);
            sink.Add("net.sent_packets"u8, device, n[9], MetricUnit.Count);
            sink.Add("net.sent_errors"u8, device, n[10], MetricUnit.Count);
            sink.Add("net.sent_drops"u8, device, n[11], MetricUnit.Count);
            var state = StateOf(device).Read().TrimEnd((byte)'\n');
            // Loopback and tunnels say "unknown" while they work (Documentation/networking/operstates.rst).
            if (!state.IsEmpty)
                sink.Add("net.up"u8, device, state.SequenceEqual("up"u8) || state.SequenceEqual("unknown"u8) ? 1 : 0, MetricUnit.Count);
        }
    }

    public void Dispose()
    {
        foreach (var (_, state) in _known)
            state.Dispose();
        _known.Clear();
    }

    private ProcFile StateOf(ReadOnlySpan<byte> device)
    {
        foreach (var (name, state) in _known)
        {
            if (device.SequenceEqual(name))
                return state;
        }

        if (_known.Count == MaximumOpen)
            Dispose();
        var opened = openState(Encoding.UTF8.GetString(device));
        _known.Add((device.ToArray(), opened));
        return opened;
    }
}
