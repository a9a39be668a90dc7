using System.Text;
using Microsoft.Extensions.Primitives;
using NATS.Client.Core;
using Streams.Queue;
using Streams.Schema;

namespace Streams.Fuzz.Targets;

/// <summary>Headers of an ingest message, a line each: read exactly as the gateway writes them, or an error with a name.</summary>
internal sealed class HeaderFuzz : FuzzTarget
{
    public override string Name => "header";

    public override IEnumerable<byte[]> Seeds()
    {
        var headers = new MessageHeaders
        {
            Epoch = Epoch.Read([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
            Lane = 1,
            First = 2,
            Count = 3,
            Class = PriorityClass.Event,
            ReceivedAt = 4,
            Generation = 5,
            Catalogue = 1,
            Host = "host-1",
        }.ToNats("agent-1");
        yield return Utf8(string.Join('\n', headers.Select(header => $"{header.Key}:{header.Value}")));
    }

    public override IReadOnlyList<byte[]> Words { get; } =
        [.. new[] { "Streams-Lane:", "Streams-Count:4096", "Streams-First:4294967295", "Streams-Encoding:json", "Streams-Class:6", "\n", "18446744073709551616" }.Select(Utf8)];

    public override int Run(ReadOnlySpan<byte> input)
    {
        var headers = new NatsHeaders();
        foreach (var line in Encoding.Latin1.GetString(input).Split('\n'))
        {
            var colon = line.IndexOf(':');
            if (colon > 0)
            {
                var name = line[..colon];
                headers[name] = StringValues.Concat(headers.TryGetValue(name, out var values) ? values : StringValues.Empty, line[(colon + 1)..]);
            }
        }

        var error = MessageHeaders.TryRead(headers, out var read);
        if (error.Fault != MessageHeaderFault.None)
        {
            return 1 + (int)error.Fault + ((error.Header?.Length ?? 0) << 4);
        }

        Must(read.Count is >= 1 and <= MessageHeaders.MaxBatches && read.Last >= read.First && MessageHeaders.IsHost(read.Host) && !read.Epoch.IsZero, "out of range");
        var written = read.ToNats("agent-1");
        Must(MessageHeaders.TryRead(written, out var again).Fault == MessageHeaderFault.None && again == read, "what is read is not what is written");
        foreach (var (name, value) in written)
        {
            Must(name == "Nats-Msg-Id" || (headers.TryGetValue(name, out var was) && was == value), $"{name} has two forms");
        }

        return 0;
    }
}
