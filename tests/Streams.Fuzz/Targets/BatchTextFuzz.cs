using System.Text;
using Streams.Schema;
using Streams.Schema.Json;

namespace Streams.Fuzz.Targets;

/// <summary>A batch of <c>streams.v1.json</c>: what is taken becomes a batch that the decoder takes too, under the name that it had.</summary>
internal sealed class BatchTextFuzz : FuzzTarget
{
    private const string EpochText = "000102030405060708090a0b0c0d0e0f";
    private static readonly BatchName Expected = new(Epoch.TryParse(EpochText, out var epoch) ? epoch : default, 3, 9);

    private readonly JsonBatchReader _reader = new();
    private readonly DecodedBatch _batch = new();

    public override string Name => "batch-text";

    public override int MaxBytes => 16 * 1024;

    /// <summary>The columns of a class, made once and kept.</summary>
    public override long ExtraAllocation => 4L << 20;

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Document("process_exec", """[{"cpu":65535,"first":1,"last":1,"rows":1}]""", """{"time":1700000000000001,"seq":1,"pid":7,"filename":"/bin/\u00e9","argv":"a\u0000b"}""");
        yield return Document("network_connect", """[{"cpu":2,"first":5,"last":9,"rows":2,"lost":{"ring_full":2,"shed":1}}]""",
            """{"seq":5,"cpu":2,"remote_address":"10.0.0.1"},{"seq":9,"cpu":2,"remote_address":"2001:db8::1"}""");
    }

    public override IReadOnlyList<byte[]> Words { get; } =
        [.. new[] { "\"epoch\":", "\"lane\":3", "\"n\":9", "\"class\":", "\"ledger\":[]", "\"events\":[]", "\"seq\":\"18446744073709551615\"", "9007199254740993", "1e400", "null", "\\ud800", "{", "}", "[", "]", "," }.Select(Utf8)];

    public override int Run(ReadOnlySpan<byte> input)
    {
        var outcome = _reader.TryConvert(input, Expected, out var batch, out var error);
        if (outcome != JsonBatchOutcome.Ok)
        {
            var text = error.ToString();
            Must(text.Length is > 0 and < 512 && !text.AsSpan().ContainsAnyExceptInRange(' ', '\uffff'), "a refusal that cannot be logged");
            return 1 + (int)outcome + (error.Detail.Length << 4);
        }

        Must(BatchDecoder.TryDecode(batch, _batch, out var refused), $"the decoder refuses what the reader made: {refused.Kind} of column {refused.ColumnId}");
        Must(_batch.Header.Name == Expected, "another name");
        return 1000 + _batch.Class.Id + (Math.Min(_batch.Rows, 8) << 8);
    }

    private static byte[] Document(string eventClass, string ledger, string events) => Encoding.UTF8.GetBytes(
        $$"""{"epoch":"{{EpochText}}","lane":3,"n":9,"class":"{{eventClass}}","schema":1,"ledger":{{ledger}},"events":[{{events}}]}""");
}
