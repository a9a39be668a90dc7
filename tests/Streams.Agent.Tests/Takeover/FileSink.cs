using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using Streams.Agent.Modules.Comm;
using Streams.AgentLink;
using Streams.Schema;

namespace Streams.Agent.Tests.Takeover;

/// <summary>What a spool promises the sensor, and nothing else: a batch that was taken survives a kill. One file per life.</summary>
internal sealed class FileSink : IBatchSink, IDisposable
{
    private readonly string _directory;
    private readonly TimeSpan _delay;
    private readonly FileStream _file;
    private readonly byte[] _buffer = new byte[4 + Limits.MaxStoredBytes];
    private readonly int _dieAt;
    private uint _n;

    /// <param name="delay">What a batch takes: a slow spool lets the ring fill.</param>
    /// <param name="dieAt">The process is killed when this many batches are stored, before anybody hears of the last one. 0: never.</param>
    public FileSink(string directory, TimeSpan delay, int dieAt = 0)
    {
        _dieAt = dieAt;
        _directory = directory;
        _delay = delay;
        var life = Directory.GetFiles(directory, "*.batches").Length;
        // No buffer: a batch is one write(2).
        var file = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{life:D4}.batches"));
        _file = new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 0);
    }

    public BatchCompressor Compressor { get; } = new();

    public bool HasRoom => true;

    /// <summary>All whole batches of all lives, in order. The last of a life may be torn.</summary>
    public static IEnumerable<byte[]> ReadAll(string directory)
    {
        foreach (var file in Directory.GetFiles(directory, "*.batches").Order(StringComparer.Ordinal))
        {
            var bytes = File.ReadAllBytes(file);
            var position = 0;
            while (bytes.Length - position >= 4)
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(position));
                if (bytes.Length - position - 4 < length)
                    break;
                yield return bytes.AsSpan(position + 4, length).ToArray();
                position += 4 + length;
            }
        }
    }

    public bool TrySend(BatchBuilder builder, in BatchStamp stamp)
    {
        Thread.Sleep(_delay);
        var length = builder.Seal(new BatchName(stamp.SensorEpoch, 1, _n++), stamp, BatchCompression.Zstd, _buffer.AsSpan(4));
        BinaryPrimitives.WriteInt32LittleEndian(_buffer, length);
        _file.Write(_buffer.AsSpan(0, 4 + length));
        if (_n == _dieAt)
            Process.GetCurrentProcess().Kill();
        builder.Reset();
        return true;
    }

    public double FillOf(PriorityClass priority) => 0;

    public void VisitSpooled(SpooledEntryVisitor visitor)
    {
        using var decoded = new DecodedBatch();
        foreach (var bytes in ReadAll(_directory))
        {
            if (!BatchDecoder.TryDecode(bytes, decoded, out var error))
                throw new InvalidDataException(error.ToString());
            foreach (ref readonly var entry in decoded.Ledger.Entries)
                visitor(decoded.Header.SensorEpoch, decoded.Class.Id, in entry, decoded.Ledger.Losses(entry));
        }
    }

    public bool WaitForRoom(TimeSpan timeout) => true;

    public void Dispose()
    {
        _file.Dispose();
        Compressor.Dispose();
    }
}
