using System.Text;
using Streams.Queue;
using Streams.Queue.Publishing;
using Streams.Queue.Reading;

namespace Streams.Fuzz.Targets;

/// <summary>What nats-server says: acknowledgements of a publish, and the numbers in a reply subject.</summary>
internal sealed class AckFuzz : FuzzTarget
{
    public override string Name => "ack";

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Utf8("{\"stream\":\"INGEST_0\",\"seq\":17}");
        yield return Utf8("{\"stream\":\"INGEST_0\",\"seq\":17,\"duplicate\":true}");
        yield return Utf8("{\"error\":{\"code\":503,\"err_code\":10077,\"description\":\"maximum bytes exceeded\"}}");
        yield return Utf8("$JS.ACK.INGEST_0.c.1.17.3.1750000000000000000.4");
        yield return Utf8("$JS.ACK.hub.ACCOUNT.INGEST_0.c.1.17.3.1750000000000000000.4.x");
    }

    public override IReadOnlyList<byte[]> Words { get; } = [.. new[] { "\\ud800", "\"seq\":", "\"error\":", "\"err_code\":", "\"duplicate\":", "null", "1e3", "." }.Select(Utf8)];

    public override int Run(ReadOnlySpan<byte> input)
    {
        var outcome = AckParser.TryRead(input, out var result, out var sequence, out _) ? 1 + (int)result : 0;
        Must(outcome == 0 || result is not (PublishOutcome.Acknowledged or PublishOutcome.Duplicate) || sequence != 0, "acknowledged without a number");
        return outcome + (Delivery.TryParse(Encoding.Latin1.GetString(input), out var delivery) ? 100 + (int)(delivery.Pending & 1) : 0);
    }
}
