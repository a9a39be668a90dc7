using System.Text;
using Streams.AgentLink.Session;
using Streams.Wire.Handshake;

namespace Streams.Fuzz.Targets;

/// <summary>What an agent is answered to its upgrade: taken exactly when every header is right and none is there twice.</summary>
internal sealed class UpgradeFuzz : FuzzTarget
{
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";
    private static readonly string Good = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + $"Sec-WebSocket-Accept: {HttpUpgrade.AcceptKey(Key)}\r\nSec-WebSocket-Protocol: streams.v1.bin";

    public override string Name => "upgrade";

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Utf8(Good);
        yield return Utf8("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 12");
        yield return Utf8(Good + "\r\nSec-WebSocket-Extensions: permessage-deflate");
    }

    public override IReadOnlyList<byte[]> Words { get; } =
        [.. Good.Split("\r\n").Append("\r\n").Append("Retry-After: ").Append("streams.v1.json").Append(": ").Select(Encoding.ASCII.GetBytes)];

    public override int Run(ReadOnlySpan<byte> input)
    {
        var text = Encoding.ASCII.GetString(input);
        try
        {
            HttpUpgrade.Check(text, Key, HandshakeContext.Binary);
        }
        catch (LinkEndedException ended)
        {
            Must(ended.End.RetryAfter <= TimeSpan.FromHours(1) && ended.End.RetryAfter >= TimeSpan.Zero && !ended.End.Detail.Contains('\n'), "what is told is out of range");
            return 1 + (int)ended.End.Reason + (ended.End.RetryAfter > TimeSpan.Zero ? 100 : 0);
        }

        foreach (var line in Good.Split("\r\n").Skip(1))
        {
            Must(text.Contains(line[(line.IndexOf(':') + 2)..], StringComparison.OrdinalIgnoreCase), $"taken without {line}");
        }

        Must(!text.Contains("\r\nSec-WebSocket-Extensions:", StringComparison.OrdinalIgnoreCase), "taken with an extension");
        return 0;
    }
}
