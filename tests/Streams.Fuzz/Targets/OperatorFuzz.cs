using System.Text;
using System.Text.Json.Serialization.Metadata;
using Streams.Services.Http;

namespace Streams.Fuzz.Targets;

/// <summary>Bodies of the operator's HTTP; the first byte says of which request.</summary>
internal sealed class OperatorFuzz : FuzzTarget
{
    public override string Name => "operator";

    public override int MaxBytes => 8192;

    public override IEnumerable<byte[]> Seeds()
    {
        yield return [0, .. Encoding.UTF8.GetBytes("""{"kind":"status","agents":["agent-1","agent-2"],"deadline_seconds":60,"arguments":{"a":"b"}}""")];
        yield return [1, .. Encoding.UTF8.GetBytes("""{"name":"ann","role":"viewer","expires_in_seconds":3600}""")];
    }

    public override IReadOnlyList<byte[]> Words { get; } =
        [.. new[] { "\\ud800", "\\u0000", "null", "[null]", "{\"\\ud800\":1}", "\"arguments\":{", "\"agents\":[", "1e400", "-1", "{", "}", "[", "]" }.Select(Utf8)];

    public override int Run(ReadOnlySpan<byte> input) => input.IsEmpty ? 0
        : (input[0] & 1) == 0 ? Read(input[1..], ApiJson.Default.CommandBody, body => RequestBody.Check(body) is null && body.Agents.Any(agent => !Wire.AgentId.IsValid(agent)))
        : Read(input[1..], ApiJson.Default.TokenBody, body => body.Name is null || body.Role is null);

    private static int Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, Func<T, bool> isBroken)
        where T : class
    {
        if (RequestBody.TryRead(json, type, out var body, out var error))
        {
            Must(error is null && !isBroken(body), "a body that is none was taken");
            return 1;
        }

        Must(error is { Field.Length: > 0 and <= 64 } && Ascii.IsValid(error.Message), "an error that cannot be shown");
        return 2 + error!.Message.Length;
    }
}
