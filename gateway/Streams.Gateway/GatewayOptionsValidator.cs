using System.Globalization;
using System.Net;
using Streams.Gateway.Credit;

namespace Streams.Gateway;

/// <summary>Checks <see cref="GatewayOptions"/>; each problem is one line that says what, and how to mend it.</summary>
public static class GatewayOptionsValidator
{
    private const int MaxPartitions = 256;
    private const long MaxPoolBytes = 64L << 30;

    /// <summary>All problems; empty when the options are good. Files are looked at only for being there.</summary>
    public static IReadOnlyList<string> Validate(GatewayOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = new List<string>();
        Endpoint(problems, "listen", options.Listen);
        Endpoint(problems, "operator listen", options.OperatorListen);
        if (options.Listen.Port != 0 && options.Listen.Equals(options.OperatorListen))
        {
            problems.Add($"listen and operator listen are both {options.Listen}: give one of them another port");
        }

        if (options.Nats.Scheme is not ("nats" or "tls") || options.Nats.UserInfo.Length != 0)
        {
            problems.Add($"nats url {options.Nats.Scheme}://{options.Nats.Host} must be nats:// or tls:// without user and password: the NKey seed file authenticates");
        }

        File(problems, "NATS seed file", options.NatsSeedFile);
        File(problems, "gateway key file", options.KeyFile);
        File(problems, "gateway certificate file", options.CertificateFile);
        if (options.TlsCertificateFile is null != (options.TlsKeyFile is null))
        {
            problems.Add("TLS certificate and TLS key go together: give both files, or neither");
        }

        Range(problems, "TLS interval (ms)", (long)options.TlsInterval.TotalMilliseconds, 10, 3_600_000);
        Range(problems, "keys interval (ms)", (long)options.KeysInterval.TotalMilliseconds, 10, 3_600_000);
        Range(problems, "partitions", options.Partitions, 1, MaxPartitions);
        Range(problems, "graphs", options.Graphs, 1, MaxPartitions);
        Range(problems, "pool bytes", options.PoolBytes, CreditPool.SmallestCapacity, MaxPoolBytes);
        Range(problems, "max connections", options.MaxConnections, 1, 1_000_000);
        Range(problems, "max handshakes", options.MaxHandshakes, 1, 100_000);
        Range(problems, "source handshakes", options.SourceHandshakes, 1, 100_000);
        Range(problems, "source connections", options.SourceConnections, 1, 1_000_000);
        Range(problems, "peer log rate", options.PeerLogRate, 1, 1_000_000);
        Range(problems, "handshake queue (ms)", (long)options.HandshakeQueue.TotalMilliseconds, 0, 60_000);
        Range(problems, "source rate", options.SourceRate, 1, 1_000_000);
        Range(problems, "source burst", options.SourceBurst, 1, 1_000_000);
        Range(problems, "agent message rate", options.AgentMessageRate, 10, 1_000_000);
        Range(problems, "agent byte rate", options.AgentByteRate, Wire.Limits.MaxFrameBytes, 1L << 40);
        Range(problems, "agent signature rate", options.AgentSignatureRate, 10, 1_000_000);
        Range(problems, "agent burst (ms)", (long)options.AgentBurst.TotalMilliseconds, 1000, 3_600_000);
        Range(problems, "frame time (ms)", (long)options.FrameTime.TotalMilliseconds, 1000, 60_000);
        Range(problems, "auth failures per minute", options.AuthFailuresPerMinute, 1, 1_000_000);
        Range(problems, "record interval (ms)", (long)options.RecordInterval.TotalMilliseconds, 10, 60_000);
        Range(problems, "flush patience (ms)", (long)options.FlushPatience.TotalMilliseconds, 0, 60_000);
        Range(problems, "heartbeat seconds", options.HeartbeatSeconds, 1, 3600);
        Range(problems, "session seconds", options.SessionSeconds, 60, 7 * 24 * 3600);
        Range(problems, "token seconds", options.TokenSeconds, 2, 900);
        Range(problems, "watermark time-out (ms)", (long)options.WatermarkTimeout.TotalMilliseconds, 1, 60_000);
        Range(problems, "publish window", options.PublishWindow, 1, 4096);
        return problems;
    }

    private static void Endpoint(List<string> problems, string name, IPEndPoint endpoint)
    {
        if (endpoint.Port is < 0 or > ushort.MaxValue)
        {
            problems.Add($"{name} port {endpoint.Port} must be between 0 and {ushort.MaxValue}");
        }
    }

    private static void File(List<string> problems, string name, string path)
    {
        if (string.IsNullOrEmpty(path) || !System.IO.File.Exists(path))
        {
            problems.Add($"{name} '{path}' is not there: `streams up` creates one, or give the path of an existing file");
        }
    }

    private static void Range(List<string> problems, string name, long value, long least, long most)
    {
        if (value < least || value > most)
        {
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"{name} is {value}: it must be between {least} and {most}"));
        }
    }
}
