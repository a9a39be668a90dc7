using System.Globalization;
using System.Text;
using Streams.Schema;

namespace Streams.Bench.Smoke;

/// <summary>
/// Batches of process_exec (two thirds) and network_connect (one third) rows, the same for the same seed: a hundred programs with a long tail, argument
/// lists of one to six words, a few thousand processes, ten services as peers. Sealed before the clock starts.
/// </summary>
internal sealed class EventMix
{
    public const int RowsPerBatch = 1000;

    private readonly int _rows;
    private readonly Random _random;
    private readonly Dictionary<ushort, ulong> _seq = [];
    private readonly byte[][] _programs;
    private readonly byte[][] _words;
    private long _time = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds() * 1000;

    public EventMix(int seed, int rowsPerBatch = RowsPerBatch)
    {
        _rows = rowsPerBatch;
        _random = new Random(seed);
        _programs = [.. Enumerable.Range(0, 100).Select(i => Utf8($"/usr/bin/program-{i}"))];
        _words = [.. Enumerable.Range(0, 2000).Select(_ => Utf8($"--option-{_random.Next(5000)}={_random.NextInt64():x}"))];
    }

    /// <summary>Seals <paramref name="count"/> batches; the name in their headers is set when they are sent.</summary>
    public byte[][] Batches(int count)
    {
        using var compressor = new BatchCompressor();
        var options = new BuilderOptions { MaxRows = _rows };
        using var exec = new BatchBuilder(ProcessClasses.Exec, options, compressor);
        using var connect = new BatchBuilder(NetworkClasses.Connect, options, compressor);
        var stamp = new BatchStamp(Epoch.NewRandom());
        var batches = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            var builder = i % 3 == 2 ? connect : exec;
            batches[i] = Seal(builder, stamp);
        }
        return batches;
    }

    private byte[] Seal(BatchBuilder builder, in BatchStamp stamp)
    {
        var first = _seq.GetValueOrDefault(builder.Class.Id) + 1;
        for (var row = 0; row < _rows; row++)
        {
            var seq = first + (ulong)row;
            _time += _random.Next(1, 40);
            if (builder.Class == ProcessClasses.Exec)
            {
                AppendExec(builder, seq);
            }
            else
            {
                AppendConnect(builder, seq);
            }
        }
        var last = first + (ulong)_rows - 1;
        _seq[builder.Class.Id] = last;
        if (!builder.TryAddLedger(0, first, last, (uint)_rows))
        {
            throw new InvalidOperationException("a batch of the mix does not take its ledger entry");
        }
        var sealedBatch = new byte[builder.MaxSealedBytes];
        var length = builder.Seal(new BatchName(stamp.SensorEpoch, 0, 0), stamp, BatchCompression.Zstd, sealedBatch);
        builder.Reset();
        return sealedBatch[..length];
    }

    private void AppendExec(BatchBuilder row, ulong seq)
    {
        var program = _programs[(int)(_random.NextDouble() * _random.NextDouble() * _programs.Length)];
        Span<byte> argv = stackalloc byte[512];
        program.CopyTo(argv);
        var length = program.Length;
        var argc = _random.Next(1, 7);
        for (var i = 1; i < argc; i++)
        {
            var word = _words[_random.Next(_words.Length)];
            argv[length++] = 0;
            word.CopyTo(argv[length..]);
            length += word.Length;
        }
        Begin(row, program.Length * 2 + length);
        row.SetClaim(_time, seq, 0, 0, 0);
        row.SetUInt32(5, (uint)_random.Next(300, 32_768));
        row.SetUInt32(6, (uint)_random.Next(1, 3000));
        row.SetUInt32(7, (uint)(_random.Next(10) < 7 ? 0 : 1000));
        row.SetUInt32(8, 0);
        row.SetUInt64(9, (ulong)_random.Next(1, 60));
        row.SetUInt64(10, 1_000_000UL + (ulong)program.Length);
        _ = row.TrySetDictionary(11, program.AsSpan(9)) && row.TrySetDictionary(12, program) && row.TrySetString(13, argv[..length]);
        row.SetUInt16(14, (ushort)argc);
        row.SetTime(15, _time - _random.Next(100, 5000));
        row.EndRow();
    }

    private void AppendConnect(BatchBuilder row, ulong seq)
    {
        Begin(row, 16);
        var peer = _random.Next(10);
        row.SetClaim(_time, seq, 0, 0, 0);
        row.SetUInt32(5, (uint)_random.Next(300, 32_768));
        row.SetUInt32(6, 1000);
        row.SetUInt64(7, (ulong)_random.Next(1, 60));
        _ = row.TrySetDictionary(8, _programs[peer].AsSpan(9));
        row.SetUInt8(9, 2);
        row.SetIPv6(10, [10, 0, 0, 7]);
        row.SetUInt16(11, (ushort)_random.Next(32_768, 61_000));
        row.SetIPv6(12, [10, 0, 1, (byte)peer]);
        row.SetUInt16(13, (ushort)(8000 + peer));
        row.SetUInt64(14, (ulong)_random.NextInt64(1, 1 << 20));
        row.SetUInt8(15, 1);
        row.SetUInt64(16, (ulong)_random.Next(50, 2000));
        row.EndRow();
    }

    private static void Begin(BatchBuilder row, int stringBytes)
    {
        if (!row.TryBeginRow(stringBytes))
        {
            throw new InvalidOperationException($"a batch of {RowsPerBatch} rows of the mix is larger than a batch may be");
        }
    }

    private static byte[] Utf8(FormattableString text) => Encoding.UTF8.GetBytes(text.ToString(CultureInfo.InvariantCulture));
}
