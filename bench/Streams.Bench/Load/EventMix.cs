using System.Buffers;
using System.Globalization;
using System.Text;
using Streams.Bench.Running;
using Streams.Schema;

namespace Streams.Bench.Load;

/// <summary>
/// Batches of process_exec (two thirds) and network_connect (one third) rows, or of more classes in turn, the same for the same seed: a hundred programs with a long
/// tail, argument lists of one to six words, a few thousand processes, ten services as peers. Sealed before the clock starts. bench/data/README.md describes it.
/// </summary>
internal sealed class EventMix : IDisposable
{
    public const int RowsPerBatch = 1000;

    /// <summary>Most words in an argument list, the program's name among them.</summary>
    private const int MostArguments = 6;

    /// <summary>The first seals run code that is not compiled well yet.</summary>
    private const int WarmUp = 64;

    private readonly MixOptions _options;
    private readonly Random _random;
    private readonly Dictionary<ushort, ulong> _seq = [];
    private readonly byte[][] _programs;
    private readonly byte[][] _words;
    private readonly byte[] _argv;
    private readonly BatchCompressor _compressor = new();
    private readonly BatchBuilder[] _builders;
    private readonly BatchStamp _stamp = new(Epoch.NewRandom());
    private long _time = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;
    private long _step;
    private double _sealSeconds;
    private int _sealed;

    public EventMix(MixOptions options)
    {
        _options = options;
        _random = new Random(options.Seed);
        _programs = [.. Enumerable.Range(0, options.Programs).Select(i => Utf8($"/usr/bin/program-{i}"))];
        var filling = new string('x', options.ArgumentBytes);
        _words = [.. Enumerable.Range(0, options.Words).Select(_ => Utf8($"--option-{_random.Next(5000)}={_random.NextInt64():x}{filling}"))];
        _argv = new byte[_programs[^1].Length + (MostArguments * (1 + _words.Max(static word => word.Length)))];
        // What a 1,000-row batch of short strings needs always fits; longer strings may not compress as far as a batch must.
        var builder = new BuilderOptions { MaxRows = options.BatchRows, MaxBytes = Schema.Limits.MaxDecodedBytes };
        _builders = [.. Classes.Take(options.Classes).Select(eventClass => new BatchBuilder(eventClass, builder, _compressor))];
    }

    public EventMix(int seed, int rowsPerBatch = RowsPerBatch)
        : this(new MixOptions { Seed = seed, BatchRows = rowsPerBatch })
    {
    }

    /// <summary>What the mix can have, in the order in which more of them are taken.</summary>
    public static IReadOnlyList<EventClass> Classes { get; } =
        [ProcessClasses.Exec, NetworkClasses.Connect, ProcessClasses.Exit, NetworkClasses.Accept, NetworkClasses.Close];

    /// <summary>CPU seconds for a sealed row: ledger, compression and copy, without the making of rows. 0 before there is anything to go by.</summary>
    public double SealSecondsPerRow => _sealed <= WarmUp ? 0 : _sealSeconds / ((double)(_sealed - WarmUp) * _options.BatchRows);

    /// <summary>Seals <paramref name="count"/> batches; the name in their headers is set when they are sent.</summary>
    public byte[][] Batches(int count)
    {
        var batches = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            batches[i] = Seal(BuilderOf(i), _stamp);
        }

        return batches;
    }

    /// <summary>Seals batch number <paramref name="index"/> of an agent, its rows evenly over a time, in microseconds since 1970.</summary>
    public byte[] Next(int index, Epoch sensorEpoch, long firstTime, long lastTime)
    {
        _time = firstTime;
        _step = Math.Max(0, (lastTime - firstTime) / Math.Max(1, _options.BatchRows - 1));
        return Seal(BuilderOf(index), new BatchStamp(sensorEpoch));
    }

    public void Dispose()
    {
        Array.ForEach(_builders, static builder => builder.Dispose());
        _compressor.Dispose();
    }

    private BatchBuilder BuilderOf(int index) => _builders.Length == 2 ? _builders[index % 3 == 2 ? 1 : 0] : _builders[index % _builders.Length];

    private byte[] Seal(BatchBuilder builder, in BatchStamp stamp)
    {
        var first = _seq.GetValueOrDefault(builder.Class.Id) + 1;
        for (var row = 0; row < _options.BatchRows; row++)
        {
            var seq = first + (ulong)row;
            var gap = _random.Next(1, 40);
            _time += _step == 0 ? gap : row == 0 ? 0 : _step;
            if (builder.Class == ProcessClasses.Exec)
            {
                AppendExec(builder, seq);
            }
            else if (builder.Class == ProcessClasses.Exit)
            {
                AppendExit(builder, seq);
            }
            else
            {
                AppendConnection(builder, seq);
            }
        }

        var last = first + (ulong)_options.BatchRows - 1;
        _seq[builder.Class.Id] = last;
        if (!builder.TryAddLedger(0, first, last, (uint)_options.BatchRows))
        {
            throw new InvalidOperationException("a batch of the mix does not take its ledger entry");
        }

        var sealedBatch = ArrayPool<byte>.Shared.Rent(Schema.Limits.MaxStoredBytes);
        var before = ThreadCpu.Seconds();
        var length = builder.Seal(new BatchName(stamp.SensorEpoch, 0, 0), stamp, BatchCompression.Zstd, sealedBatch.AsSpan(0, Schema.Limits.MaxStoredBytes));
        if (++_sealed > WarmUp)
        {
            _sealSeconds += ThreadCpu.Seconds() - before;
        }

        builder.Reset();
        if (length == 0)
        {
            throw TooLarge();
        }

        var batch = sealedBatch[..length];
        ArrayPool<byte>.Shared.Return(sealedBatch);
        return batch;
    }

    private void AppendExec(BatchBuilder row, ulong seq)
    {
        var program = _programs[(int)(_random.NextDouble() * _random.NextDouble() * _programs.Length)];
        var argv = _argv.AsSpan();
        program.CopyTo(argv);
        var length = program.Length;
        var argc = _random.Next(1, MostArguments + 1);
        for (var i = 1; i < argc; i++)
        {
            var word = _words[_random.Next(_words.Length)];
            argv[length++] = 0;
            word.CopyTo(argv[length..]);
            length += word.Length;
        }
        Begin(row, program.Length * 2 + length);
        SetProcess(row, seq);
        row.SetUInt64(10, 1_000_000UL + (ulong)program.Length);
        _ = row.TrySetDictionary(11, program.AsSpan(9)) && row.TrySetDictionary(12, program) && row.TrySetString(13, argv[..length]);
        row.SetUInt16(14, (ushort)argc);
        row.SetTime(15, _time - _random.Next(100, 5000));
        row.EndRow();
    }

    private void AppendConnection(BatchBuilder row, ulong seq)
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
        if (row.Class == NetworkClasses.Connect)
        {
            row.SetUInt8(15, 1);
            row.SetUInt64(16, (ulong)_random.Next(50, 2000));
        }
        else if (row.Class == NetworkClasses.Close)
        {
            row.SetUInt64(15, (ulong)_random.Next(100, 100_000));
            row.SetUInt64(16, (ulong)_random.Next(100, 100_000));
            row.SetUInt64(17, (ulong)_random.Next(1000, 10_000_000));
        }

        row.EndRow();
    }

    private void AppendExit(BatchBuilder row, ulong seq)
    {
        var program = _programs[(int)(_random.NextDouble() * _random.NextDouble() * _programs.Length)];
        Begin(row, program.Length);
        SetProcess(row, seq);
        _ = row.TrySetDictionary(10, program.AsSpan(9));
        row.SetInt32(11, _random.Next(10) == 0 ? 1 : 0);
        row.SetUInt8(12, 0);
        row.SetUInt64(13, (ulong)_random.Next(100, 5_000_000));
        row.EndRow();
    }

    /// <summary>Claim, pid, parent, user, group and cgroup: the first columns of process_exec and process_exit alike.</summary>
    private void SetProcess(BatchBuilder row, ulong seq)
    {
        row.SetClaim(_time, seq, 0, 0, 0);
        row.SetUInt32(5, (uint)_random.Next(300, 32_768));
        row.SetUInt32(6, (uint)_random.Next(1, 3000));
        row.SetUInt32(7, (uint)(_random.Next(10) < 7 ? 0 : 1000));
        row.SetUInt32(8, 0);
        row.SetUInt64(9, (ulong)_random.Next(1, 60));
    }

    private void Begin(BatchBuilder row, int stringBytes)
    {
        if (!row.TryBeginRow(stringBytes))
        {
            throw TooLarge();
        }
    }

    private BenchFailure TooLarge() => new(
        $"load.batch_rows {_options.BatchRows} with load.string_bytes {_options.ArgumentBytes}: a batch would be larger than a batch may be; take fewer rows or shorter strings");

    private static byte[] Utf8(FormattableString text) => Encoding.UTF8.GetBytes(text.ToString(CultureInfo.InvariantCulture));
}
