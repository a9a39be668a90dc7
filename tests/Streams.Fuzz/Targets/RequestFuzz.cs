using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using Streams.Gateway.Upgrade;

namespace Streams.Fuzz.Targets;

/// <summary>What a gateway is asked before the upgrade: taken exactly when it is one request with each header that decides once, however it is cut into pieces.</summary>
internal sealed partial class RequestFuzz : FuzzTarget
{
    private const string Good = "GET /v1/agent HTTP/1.1\r\nHost: gateway:8080\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: streams.v1.bin\r\n\r\n";

    private static readonly string[] Once = ["Host", "Sec-WebSocket-Key", "Sec-WebSocket-Version"];
    private static readonly int[] Statuses = [UpgradeReader.Incomplete, UpgradeReader.Good, 400, 404, 405, 414, 426, 431, 505];

    public override string Name => "request";

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Utf8(Good);
        yield return Utf8(Good.Replace("/v1/agent", "http://g/v1/agent?q", StringComparison.Ordinal) + "\u0082");
        yield return Utf8(Good.Replace("13", "8", StringComparison.Ordinal));
        yield return Utf8("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
    }

    public override IReadOnlyList<byte[]> Words { get; } =
        [.. Good.Split("\r\n").Append("\r\n").Append("\n").Append(": ").Append("Transfer-Encoding: chunked\r\n").Append("http://").Select(Encoding.ASCII.GetBytes)];

    public override int Run(ReadOnlySpan<byte> input)
    {
        var whole = input.ToArray();
        var status = UpgradeReader.Read(new ReadOnlySequence<byte>(whole), out var length, out var request);
        Must(Statuses.Contains(status), "no status of ours");
        Must(status == UpgradeReader.Good ? length > 0 && length <= whole.Length && request is not null : length == 0 && request is null, "the length is no length");
        foreach (var cut in new[] { 0, whole.Length / 2, Math.Max(0, whole.Length - 1) })
        {
            Must(UpgradeReader.Read(Pieces.InTwo(whole, cut), out var again, out var same) == status && again == length && Equals(same, request), "cut in two it says something else");
        }

        if (request is not null)
        {
            Check(Encoding.Latin1.GetString(whole, 0, length), request);
            Must(UpgradeReader.Read(new ReadOnlySequence<byte>(whole, 0, length - 1), out _, out _) == UpgradeReader.Incomplete, "a part is a request");
        }

        return status;
    }

    private static void Check(string text, UpgradeRequest request)
    {
        Must(text.StartsWith($"GET {request.Target} HTTP/1.1\r\n", StringComparison.Ordinal), "taken with another line");
        Must(text.EndsWith("\r\n\r\n", StringComparison.Ordinal) && !Bare().IsMatch(text), "taken with a bare line feed");
        foreach (var name in Once)
        {
            Must(Count(text, name) == 1, $"taken without {name}, or with two");
        }

        Must(Count(text, "Sec-WebSocket-Protocol") <= 1 && Count(text, "Transfer-Encoding") == 0, "taken with two offers or a body");
        Must(Convert.FromBase64String(request.Key).Length == 16, "the key is no key");
    }

    private static int Count(string text, string header) =>
        text.Split("\r\n").Count(line => line.StartsWith(header + ":", StringComparison.OrdinalIgnoreCase));

    [GeneratedRegex("(?<!\r)\n|\r(?!\n)")]
    private static partial Regex Bare();
}
