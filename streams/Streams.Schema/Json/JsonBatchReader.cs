using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Streams.Schema.Json;

/// <summary>
/// Turns a batch of <c>streams.v1.json</c> into the binary batch of the same name, so that behind it there is one form of data. Everything is
/// checked as in the binary form: names, types, ranges, 65,536 rows, 4 MiB decoded, 255 KiB stored, a ledger that counts exactly the rows.
/// What is wrong is data, with the path of the field. Reusable, not thread-safe; keeps the columns of the class that came last.
/// </summary>
public sealed class JsonBatchReader : IDisposable
{
    private const int MaxName = 64;

    // Object, array, object: nothing of ours is deeper than a ledger entry's losses.
    internal static readonly JsonReaderOptions Options = new() { MaxDepth = 4, AllowMultipleValues = false };

    private readonly BatchCompressor _compressor = new();
    private readonly ArrayBufferWriter<byte> _sealed = new();
    private BatchBuilder? _builder;

    /// <param name="expected">What the message that brought it says it is.</param>
    /// <param name="batch">Valid until the next call.</param>
    /// <param name="error">What was wrong; for <see cref="JsonBatchOutcome.Unknown"/> which class or version is needed.</param>
    public JsonBatchOutcome TryConvert(
        ReadOnlySpan<byte> document, BatchName expected, out ReadOnlyMemory<byte> batch, out JsonBatchError error)
    {
        batch = default;
        try
        {
            return Convert(document, expected, out batch, out error);
        }
        catch (JsonException fault)
        {
            // Its text quotes the input; where it is, is enough.
            error = new JsonBatchError("", string.Create(CultureInfo.InvariantCulture, $"not JSON at byte {fault.BytePositionInLine} of line {fault.LineNumber}"));
            return JsonBatchOutcome.Malformed;
        }
        catch (InvalidOperationException)
        {
            // Utf8JsonReader's word for a string with half a surrogate pair, which has no UTF-8.
            error = new JsonBatchError("", "a string is not Unicode");
            return JsonBatchOutcome.Malformed;
        }
    }

    public void Dispose()
    {
        _builder?.Dispose();
        _compressor.Dispose();
    }

    /// <summary>The property that the reader stands on, cut to what a log line bears.</summary>
    internal static string Named(in Utf8JsonReader reader)
    {
        var name = reader.ValueSpan[..Math.Min(reader.ValueSpan.Length, MaxName)];
        return new string([.. Encoding.UTF8.GetString(name).Select(static c => c is > ' ' and < (char)127 ? c : '?')]);
    }

    private JsonBatchOutcome Convert(ReadOnlySpan<byte> document, BatchName expected, out ReadOnlyMemory<byte> batch, out JsonBatchError error)
    {
        batch = default;
        if (!JsonBatchHead.TryRead(document, out var head, out error))
        {
            return JsonBatchOutcome.Malformed;
        }

        if (head.Name != expected)
        {
            error = new JsonBatchError("epoch, lane, n", "another batch than the id of its message");
            return JsonBatchOutcome.WrongName;
        }

        if (!Catalogue.TryGet(head.Class, out var eventClass) || head.Schema > eventClass.Version)
        {
            error = new JsonBatchError(eventClass is null ? "class" : "schema", $"{head.Class} version {head.Schema} is not known here");
            return JsonBatchOutcome.Unknown;
        }

        if (eventClass.Producer == EventProducer.Server)
        {
            error = new JsonBatchError("class", "rows of this class come from servers only");
            return JsonBatchOutcome.Malformed;
        }

        var builder = BuilderOf(eventClass);
        var rows = new JsonRows(builder, head.Schema);
        if (!rows.TryRead(document, head.EventsAt, out error)
            || !JsonLedger.TryAdd(document, head.LedgerAt, rows, builder, out error))
        {
            return JsonBatchOutcome.Malformed;
        }

        _sealed.ResetWrittenCount();
        if (builder.Seal(head.Name, new BatchStamp(head.SensorEpoch), BatchCompression.Lz4, _sealed) == 0)
        {
            error = new JsonBatchError("events", $"the rows are more than {Limits.MaxStoredBytes} bytes when stored");
            return JsonBatchOutcome.Malformed;
        }

        batch = _sealed.WrittenMemory;
        return JsonBatchOutcome.Ok;
    }

    private BatchBuilder BuilderOf(EventClass eventClass)
    {
        if (_builder?.Class != eventClass)
        {
            _builder?.Dispose();
            _builder = new BatchBuilder(
                eventClass, new BuilderOptions { MaxRows = Limits.MaxRows, MaxBytes = Limits.MaxDecodedBytes, InitialRows = 16 }, _compressor);
        }

        _builder.Reset();
        return _builder;
    }
}
