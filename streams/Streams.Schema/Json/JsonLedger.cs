using System.Globalization;
using System.Text.Json;

namespace Streams.Schema.Json;

/// <summary>
/// The ledger of a JSON batch: <c>[{"cpu", "first", "last", "rows", "lost": {cause: count}}]</c>. Without one the rows themselves are it, when they are
/// of one CPU and numbered without a gap: that is what most producers in user space have.
/// </summary>
internal static class JsonLedger
{
    public static bool TryAdd(ReadOnlySpan<byte> document, int at, JsonRows rows, BatchBuilder builder, out JsonBatchError error)
    {
        if (at < 0)
        {
            return TryDerive(rows, builder, out error);
        }

        var reader = new Utf8JsonReader(document[at..], JsonBatchReader.Options with { AllowMultipleValues = true });
        reader.Read();
        ulong counted = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (!TryAddEntry(ref reader, builder, ref counted, out error))
            {
                return false;
            }
        }

        error = builder.LedgerCount == 0 ? new JsonBatchError("ledger", "at least one entry")
            : counted != (ulong)rows.Count ? new JsonBatchError("ledger", $"its rows are {counted}, the events {rows.Count}")
            : default;
        return error == default;
    }

    private static bool TryDerive(JsonRows rows, BatchBuilder builder, out JsonBatchError error)
    {
        error = default;
        if (rows.Run is { } run)
        {
            builder.TryAddLedger(run.Cpu, run.First, run.Last, (uint)rows.Count);
            return true;
        }

        error = new JsonBatchError("ledger", rows.Count == 0
            ? "missing, and there is no row it could be taken from"
            : "missing, and the rows' seq are not 1 and up of one cpu without a gap");
        return false;
    }

    private static bool TryAddEntry(ref Utf8JsonReader reader, BatchBuilder builder, ref ulong counted, out JsonBatchError error)
    {
        Span<ulong> fields = stackalloc ulong[4];
        Span<LossCount> losses = stackalloc LossCount[LossCauses.Count];
        var index = builder.LedgerCount;
        var lost = 0;
        var seen = 0;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return Fail(index, "", "an entry is an object", out error);
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.ValueTextEquals("cpu"u8) ? 0 : reader.ValueTextEquals("first"u8) ? 1 : reader.ValueTextEquals("last"u8) ? 2
                : reader.ValueTextEquals("rows"u8) ? 3 : reader.ValueTextEquals("lost"u8) ? 4 : -1;
            var name = JsonBatchReader.Named(reader);
            if (field < 0 || (seen & (1 << field)) != 0)
            {
                return Fail(index, name, field < 0 ? "unknown field" : "given twice", out error);
            }

            seen |= 1 << field;
            reader.Read();
            if (field == 4 ? !TryReadLosses(ref reader, losses, ref lost) : !JsonValue.TryUnsigned(reader, BoundOf(field), out fields[field]))
            {
                return Fail(index, name, field == 4 ? "counts by cause, each once" : $"an integer from 0 to {BoundOf(field)}", out error);
            }
        }

        if ((seen & 0b1111) != 0b1111)
        {
            return Fail(index, "", "cpu, first, last and rows are needed", out error);
        }

        var entry = new LedgerEntry((ushort)fields[0], fields[1], fields[2], (uint)fields[3]);
        if (!entry.Balances(losses[..lost]))
        {
            return Fail(index, "", "rows and losses are not last - first + 1", out error);
        }

        counted += fields[3];
        error = default;
        return builder.TryAddLedger(entry.Cpu, entry.First, entry.Last, entry.Rows, losses[..lost])
            || Fail(index, "", $"more than {Limits.MaxLedgerEntries} entries", out error);
    }

    private static bool TryReadLosses(ref Utf8JsonReader reader, scoped Span<LossCount> losses, ref int count)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var cause = -1;
            for (var i = 0; i < LossCauses.Count && cause < 0; i++)
            {
                cause = reader.ValueTextEquals(LossCauses.Names[i]) ? i : -1;
            }

            reader.Read();
            if (cause < 0 || losses[..count].ContainsCause((LossCause)cause) || !JsonValue.TryUnsigned(reader, ulong.MaxValue, out var lost))
            {
                return false;
            }

            losses[count++] = new LossCount((LossCause)cause, lost);
        }

        return true;
    }

    private static bool ContainsCause(this Span<LossCount> losses, LossCause cause)
    {
        foreach (var loss in losses)
        {
            if (loss.Cause == cause)
            {
                return true;
            }
        }

        return false;
    }

    private static ulong BoundOf(int field) => field switch { 0 => ushort.MaxValue, 3 => Limits.MaxRows, _ => ulong.MaxValue };

    private static bool Fail(int index, string field, string detail, out JsonBatchError error)
    {
        var entry = string.Create(CultureInfo.InvariantCulture, $"ledger[{index}]");
        error = new JsonBatchError(field.Length == 0 ? entry : $"{entry}.{field}", detail);
        return false;
    }
}
