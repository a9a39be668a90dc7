using System.Net;
using Streams.Testing;

namespace Streams.Gateway.Tests;

public sealed class GatewayOptionsTests
{
    [Fact]
    public void Defaults_are_valid_once_the_files_are_there()
    {
        using var directory = new TempDirectory();
        var path = directory.File("x");
        File.WriteAllText(path, "");
        Assert.Empty(GatewayOptionsValidator.Validate(new GatewayOptions { NatsSeedFile = path, KeyFile = path, CertificateFile = path }));
    }

    [Fact]
    public void Every_problem_is_one_line_that_names_the_setting()
    {
        var good = new GatewayOptions { NatsSeedFile = "/proc/self/status", KeyFile = "/proc/self/status", CertificateFile = "/proc/self/status" };
        (GatewayOptions Options, string Names)[] cases =
        [
            (good with { KeyFile = "/nowhere/key" }, "gateway key file '/nowhere/key'"),
            (good with { CertificateFile = "" }, "gateway certificate file"),
            (good with { NatsSeedFile = "/nowhere/seed" }, "NATS seed file"),
            (good with { Partitions = 0 }, "partitions is 0"),
            (good with { PoolBytes = 1 }, "pool bytes is 1"),
            (good with { MaxConnections = 0 }, "max connections is 0"),
            (good with { SourceHandshakes = 0 }, "source handshakes is 0"),
            (good with { SourceConnections = 0 }, "source connections is 0"),
            (good with { HeartbeatSeconds = 0 }, "heartbeat seconds is 0"),
            (good with { SessionSeconds = 1 }, "session seconds is 1"),
            (good with { Nats = new Uri("http://127.0.0.1") }, "nats url"),
            (good with { Nats = new Uri("nats://user:secret@127.0.0.1") }, "nats url"),
            (good with { TlsCertificateFile = "/proc/self/status" }, "TLS certificate and TLS key go together"),
            (good with { TlsInterval = TimeSpan.Zero }, "TLS interval (ms) is 0"),
            (good with { AgentMessageRate = 9 }, "agent message rate is 9"),
            (good with { AgentByteRate = 1 }, "agent byte rate is 1"),
            (good with { AgentSignatureRate = 0 }, "agent signature rate is 0"),
            (good with { AgentBurst = TimeSpan.Zero }, "agent burst (ms) is 0"),
            (good with { FrameTime = TimeSpan.FromMinutes(2) }, "frame time (ms) is 120000"),
            (good with { OperatorListen = new IPEndPoint(IPAddress.Loopback, 8080) }, "operator listen"),
        ];
        Assert.All(cases, bad =>
        {
            var problem = Assert.Single(GatewayOptionsValidator.Validate(bad.Options));
            Assert.Contains(bad.Names, problem, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', problem);
            Assert.DoesNotContain("secret", problem, StringComparison.Ordinal);
        });
    }
}
