using System.Text;
using Streams.AgentLink;
using Streams.Checker.Journals;
using Streams.Schema;

namespace Streams.Bench.Chaos.Sources;

/// <summary>Builds batches of network_connect rows whose number is in `seq` and whose mark is in `socket_cookie`.</summary>
internal sealed class NumberedEvents : IDisposable
{
    public const string Table = "network_connect";
    public const string Mark = "socket_cookie";

    private readonly BatchCompressor _compressor = new();
    private readonly BatchBuilder _builder;
    private readonly byte[] _comm;

    public NumberedEvents(string agentId, int maxRows)
    {
        _builder = new BatchBuilder(NetworkClasses.Connect, new BuilderOptions { MaxRows = maxRows }, _compressor);
        _comm = Encoding.ASCII.GetBytes(agentId);
    }

    /// <summary>First 8 bytes name it everywhere.</summary>
    public Epoch SensorEpoch { get; } = Epoch.NewRandom();

    /// <summary>Fills the builder with the numbers <paramref name="first"/> to <paramref name="last"/>.</summary>
    public BuilderSealer Build(ulong first, ulong last, DateTimeOffset now)
    {
        _builder.Reset();
        var time = (now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        for (var seq = first; seq <= last; seq++)
        {
            if (!_builder.TryBeginRow(_comm.Length))
            {
                throw new InvalidOperationException("the numbered rows of one batch are more than a batch may hold");
            }

            _builder.SetClaim(time, seq, 0, 0, 0);
            _builder.SetUInt32(5, (uint)(seq % 30_000) + 2);
            _builder.SetUInt32(6, 1000);
            _builder.SetUInt64(7, 1);
            _ = _builder.TrySetDictionary(8, _comm);
            _builder.SetUInt8(9, 2);
            _builder.SetIPv6(10, [127, 0, 0, 1]);
            _builder.SetUInt16(11, (ushort)(seq % 30_000 + 30_000));
            _builder.SetIPv6(12, [127, (byte)(seq >> 16), (byte)(seq >> 8), (byte)seq]);
            _builder.SetUInt16(13, (ushort)(seq % 1000 + 1));
            _builder.SetUInt64(14, EventMark.Of(SensorEpoch.Prefix, seq));
            _builder.SetUInt8(15, 1);
            _builder.SetUInt64(16, seq % 2000);
            _builder.EndRow();
        }

        if (!_builder.TryAddLedger(0, first, last, (uint)(last - first + 1)))
        {
            throw new InvalidOperationException("a batch of numbered rows does not take its ledger entry");
        }

        return new BuilderSealer(_builder, new BatchStamp(SensorEpoch), BatchCompression.Zstd);
    }

    public void Dispose()
    {
        _builder.Dispose();
        _compressor.Dispose();
    }
}
