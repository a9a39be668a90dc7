using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using Streams.Schema.Json;

namespace Streams.Schema.Tests.Json;

/// <summary>JSON batches: what is stored of a good one, and by which name each bad one is refused.</summary>
public sealed class JsonBatchReaderTests : IDisposable
{
    private const string EpochText = "000102030405060708090a0b0c0d0e0f";
    private const string Row = """{"time":1700000000000001,"seq":1,"pid":7,"cgroup_id":"18446744073709551615","filename":"/bin/\u00e9","argv":"a\u0000b"}""";

    private static readonly BatchName Name = new(Epoch.TryParse(EpochText, out var epoch) ? epoch : default, 3, 9);

    private readonly JsonBatchReader _reader = new();
    private readonly DecodedBatch _decoded = new();

    public void Dispose()
    {
        _decoded.Dispose();
        _reader.Dispose();
    }

    [Fact]
    public void A_batch_has_the_values_of_its_rows_and_the_defaults_of_the_rest()
    {
        Accept(Document(events: Row));
        var header = _decoded.Header;
        Assert.Equal((Name, 1, ProcessClasses.Exec.Id), (header.Name, header.Rows, header.ClassId));
        Assert.Equal(Name.Epoch, header.SensorEpoch);
        AssertRow(
            0, ("time", 1700000000000001L), ("seq", 1UL), ("cpu", (ushort)65535), ("pid", 7U), ("ppid", 0U), ("cgroup_id", ulong.MaxValue),
            ("filename", "/bin/é"), ("argv", "a\0b"), ("comm", ""));
        var entry = Assert.Single(_decoded.Ledger.Entries.ToArray());
        Assert.Equal(((ushort)65535, 1UL, 1UL, 1U), (entry.Cpu, entry.First, entry.Last, entry.Rows));
    }

    [Fact]
    public void Addresses_flags_and_a_ledger_with_losses_are_taken()
    {
        Accept(Document(
            eventClass: "network_connect", ledger: """[{"cpu":2,"first":5,"last":9,"rows":2,"lost":{"ring_full":2,"shed":1}}]""",
            events: """{"seq":5,"cpu":2,"remote_address":"10.0.0.1"},{"seq":9,"cpu":2,"remote_address":"2001:db8::1"}"""));
        AssertRow(0, ("remote_address", IPAddress.Parse("::ffff:10.0.0.1")));
        AssertRow(1, ("remote_address", IPAddress.Parse("2001:db8::1")));
        Assert.Equal([2UL, 1UL], _decoded.Ledger.Losses(_decoded.Ledger.Entries[0]).ToArray().Select(loss => loss.Count));
    }

    [Theory]
    [InlineData("""{"seq":1,"pid":4294967296}""", "events[0].pid: an integer from 0 to 4294967295")]
    [InlineData("""{"seq":1,"pid":-1}""", "events[0].pid: an integer from 0 to 4294967295")]
    [InlineData("""{"seq":1,"pid":1.0}""", "events[0].pid: an integer from 0 to 4294967295")]
    [InlineData("""{"seq":1,"pid":1e2}""", "events[0].pid: an integer from 0 to 4294967295")]
    [InlineData("""{"seq":1,"pid":"07"}""", "events[0].pid: an integer from 0 to 4294967295")]
    [InlineData("""{"seq":1,"pid":null}""", "events[0].pid: an integer from 0 to 4294967295")]
    [InlineData("""{"seq":9007199254740993}""", "events[0].seq: an integer from 0 to 2^53, or to 2^64-1 as a decimal string")]
    [InlineData("""{"seq":"18446744073709551616"}""", "events[0].seq: an integer from 0 to 2^53, or to 2^64-1 as a decimal string")]
    [InlineData("""{"seq":1,"time":"x"}""", "events[0].time: microseconds since 1970, an integer within ±2^53 or a decimal string")]
    [InlineData("""{"seq":1,"filename":7}""", "events[0].filename: a string of at most 65536 bytes")]
    [InlineData("""{"seq":1,"no_such":7}""", "events[0].no_such: process_exec version 1 has no such column")]
    [InlineData("""{"seq":1,"agent_id":"me"}""", "events[0].agent_id: process_exec version 1 has no such column")]
    [InlineData("""{"seq":1,"pid":1,"pid":2}""", "events[0].pid: given twice")]
    [InlineData("""{"seq":1},7""", "events[1]: a row is an object")]
    [InlineData("""{"seq":1},{"seq":3}""", "ledger: missing, and the rows' seq are not 1 and up of one cpu without a gap")]
    [InlineData("""{"pid":1}""", "ledger: missing, and the rows' seq are not 1 and up of one cpu without a gap")]
    [InlineData("", "ledger: missing, and there is no row it could be taken from")]
    public void A_bad_row_is_refused_by_its_path(string events, string error) => Refuse(Document(events: events), error);

    [Theory]
    [InlineData("""[{"cpu":65535,"first":1,"last":1,"rows":2}]""", "ledger[0]: rows and losses are not last - first + 1")]
    [InlineData("""[{"cpu":65535,"first":1,"last":2,"rows":2}]""", "ledger: its rows are 2, the events 1")]
    [InlineData("""[{"cpu":65536,"first":1,"last":1,"rows":1}]""", "ledger[0].cpu: an integer from 0 to 65535")]
    [InlineData("""[{"cpu":1,"first":1,"last":1}]""", "ledger[0]: cpu, first, last and rows are needed")]
    [InlineData("""[{"cpu":1,"first":1,"last":1,"rows":1,"x":1}]""", "ledger[0].x: unknown field")]
    [InlineData("""[{"cpu":1,"cpu":1,"first":1,"last":1,"rows":1}]""", "ledger[0].cpu: given twice")]
    [InlineData("""[{"cpu":1,"first":1,"last":2,"rows":1,"lost":{"bad_luck":1}}]""", "ledger[0].lost: counts by cause, each once")]
    [InlineData("""[{"cpu":1,"first":1,"last":3,"rows":1,"lost":{"shed":1,"shed":1}}]""", "ledger[0].lost: counts by cause, each once")]
    [InlineData("[7]", "ledger[0]: an entry is an object")]
    [InlineData("[]", "ledger: at least one entry")]
    public void A_bad_ledger_is_refused_by_its_path(string ledger, string error) => Refuse(Document(ledger: ledger, events: """{"seq":1}"""), error);

    [Theory]
    [InlineData("\"lane\":3", "\"lane\":-3", "lane: an integer from 0 to 4294967295")]
    [InlineData("\"lane\":3,", "", "lane: missing")]
    [InlineData("\"lane\":3", "\"lane\":3,\"lane\":3", "lane: given twice")]
    [InlineData("\"lane\":3", "\"lane\":3,\"line\":3", "line: unknown field")]
    [InlineData(EpochText, "000102030405060708090A0B0C0D0E0F", "epoch: 32 hexadecimal digits in lower case, not all zero")]
    [InlineData(EpochText, "00000000000000000000000000000000", "epoch: 32 hexadecimal digits in lower case, not all zero")]
    [InlineData("\"events\":[", "\"events\":{\"a\":[", "events: an array")]
    [InlineData("]}", "]", "not JSON at byte")]
    [InlineData("\"schema\":1", "\"schema\":0", "schema: an integer from 1 to 65535")]
    [InlineData("{\"epoch\"", "[{\"epoch\"", "a batch is an object")]
    [InlineData("process_exec", "agent_identity", "class: rows of this class come from servers only")]
    [InlineData("/bin/", "\\ud800", "a string is not Unicode")]
    [InlineData("/bin/", "\u0001", "not JSON at byte")]
    public void A_bad_head_is_refused_by_its_name(string from, string to, string error) =>
        Refuse(Document(events: Row).Replace(from, to, StringComparison.Ordinal), error);

    [Fact]
    public void Text_behind_the_batch_is_refused() => Refuse(Document(events: Row) + "{}", "not JSON at byte");

    [Fact]
    public void What_another_version_may_know_is_not_malformed()
    {
        Assert.Equal(JsonBatchOutcome.Unknown, Convert(Document(events: Row, eventClass: "process_dream"), out _));
        Assert.Equal(JsonBatchOutcome.Unknown, Convert(Document(events: Row).Replace("\"schema\":1", "\"schema\":900", StringComparison.Ordinal), out _));
        Assert.Equal(JsonBatchOutcome.WrongName, Convert(Document(events: Row).Replace("\"n\":9", "\"n\":8", StringComparison.Ordinal), out _));
    }

    [Fact]
    public void More_rows_than_a_batch_may_hold_are_refused()
    {
        var rows = string.Join(',', Enumerable.Range(1, Limits.MaxRows + 1).Select(i => string.Create(CultureInfo.InvariantCulture, $"{{\"seq\":{i}}}")));
        Refuse(Document(events: rows), "events[");
    }

    [Fact]
    public void The_reader_is_as_new_after_a_refusal()
    {
        Refuse(Document(events: """{"seq":1,"pid":1},{"seq":2,"pid":-1}"""), "events[1].pid");
        Accept(Document(events: """{"seq":1,"pid":5}"""));
        AssertRow(0, ("pid", 5U));
        Assert.Equal(1, _decoded.Rows);
    }

    private void AssertRow(int row, params (string Column, object Value)[] expected) =>
        Assert.Equal(expected, expected.Select(entry => (entry.Column, Value(entry.Column, row))));

    private object Value(string name, int row)
    {
        var ordinal = _decoded.Class.OrdinalOf(name);
        var column = _decoded.Column(ordinal);
        return column.Type switch
        {
            ColumnType.UInt16 => MemoryMarshal.Cast<byte, ushort>(column.Data)[row],
            ColumnType.UInt32 => MemoryMarshal.Cast<byte, uint>(column.Data)[row],
            ColumnType.UInt64 => MemoryMarshal.Cast<byte, ulong>(column.Data)[row],
            ColumnType.DateTime64Micro => MemoryMarshal.Cast<byte, long>(column.Data)[row],
            ColumnType.IPv6 => new IPAddress(column.Data.Slice(row * 16, 16)),
            ColumnType.String => Encoding.UTF8.GetString(RowAssert.Strings(column)[row]),
            _ => Encoding.UTF8.GetString(RowAssert.Keys(column)[row]),
        };
    }

    private void Accept(string document)
    {
        Assert.Equal(JsonBatchOutcome.Ok, _reader.TryConvert(Encoding.UTF8.GetBytes(document), Name, out var batch, out var error));
        Assert.Equal(default, error);
        Assert.True(BatchDecoder.TryDecode(batch.Span, _decoded, out var fault), fault.ToString());
    }

    private void Refuse(string document, string error)
    {
        Assert.Equal(JsonBatchOutcome.Malformed, Convert(document, out var found));
        Assert.StartsWith(error, found.ToString());
    }

    private JsonBatchOutcome Convert(string document, out JsonBatchError error) =>
        _reader.TryConvert(Encoding.UTF8.GetBytes(document), Name, out _, out error);

    private static string Document(string events, string eventClass = "process_exec", string? ledger = null) =>
        $$"""{"epoch":"{{EpochText}}","lane":3,"n":9,"class":"{{eventClass}}","schema":1,{{(ledger is null ? "" : $"\"ledger\":{ledger},")}}"events":[{{events}}]}""";
}
