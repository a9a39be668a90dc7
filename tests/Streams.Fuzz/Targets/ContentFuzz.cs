using System.Text;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Json;
using Streams.Wire.Messages;

namespace Streams.Fuzz.Targets;

/// <summary>
/// The JSON documents of an agent; the first byte says which frame one stands for. What is taken is a payload that the frame's own reader takes.
/// </summary>
internal sealed class ContentFuzz : FuzzTarget
{
    private readonly byte[] _payload = new byte[AgentContent.MaxPayloadBytes];

    public override string Name => "content";

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Seed(FrameType.Ready, """{"generation":"1750000000001","catalogue_version":3,"agent_version":"0.1","host":"h\u00f6st"}""");
        yield return Seed(FrameType.Want, """{"event":{"next":9000,"queued":120000},"metric":{"next":700,"queued":700}}""");
        yield return Seed(FrameType.Heartbeat, """
            {"sent_at":1,"policy_generation":0,"load":125,"cpu":40,"memory":312,"retained":65536,"lanes":2,
             "modules":[{"name":"core","state":"running","rss_kib":4096,"cpu_permille":3,"restarts":0}],"ledger":[{"class":1,"stamped":3,"filtered":2,"missed":0}]}
            """);
        yield return Seed(FrameType.Error, """{"code":"unsupported","channel":"agent.control","id":"cmd-1","detail":"","retry_after":0}""");
    }

    public override IReadOnlyList<byte[]> Words { get; } =
        [.. new[] { "\"sent_at\":", "\"modules\":[", "\"ledger\":[", "\"18446744073709551615\"", "9007199254740993", "1e400", "null", "\\ud800", "\\u0000", "{", "}", "[", "]", "," }.Select(Utf8)];

    public override int Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return 0;
        }

        var type = (FrameType)input[0];
        var error = AgentContent.TryRead(type, input[1..], _payload, out var length, out var field);
        Must(field.Length < 64 && Ascii.IsValid(field) && field.All(c => !char.IsControl(c)), "a field that cannot be logged");
        if (error != WireError.None)
        {
            Must(length == 0, "a payload of what was refused");
            return ((int)error << 8) + field.Length;
        }

        Must(IsPayload(type, _payload.AsSpan(0, length)), $"what became a {type} is none");
        return 100_000 + ((int)type << 10) + Math.Min(length, 1000);
    }

    private static bool IsPayload(FrameType type, ReadOnlySpan<byte> payload)
    {
        Span<ClassWant> wants = stackalloc ClassWant[Limits.LaneClasses];
        return type switch
        {
            FrameType.Ready => ReadyMessage.TryRead(payload, out _),
            FrameType.Want => WantMessage.TryRead(payload, wants),
            FrameType.Heartbeat => HeartbeatMessage.TryRead(payload, out _),
            FrameType.Error => ErrorMessage.TryRead(payload, out _),
            _ => false,
        };
    }

    private static byte[] Seed(FrameType type, string document) => [(byte)type, .. Encoding.UTF8.GetBytes(document)];
}
