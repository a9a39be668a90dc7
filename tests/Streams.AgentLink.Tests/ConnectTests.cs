using System.Runtime.Versioning;
using Streams.AgentLink.Connect;
using Streams.AgentLink.Tests.Gateway;
using Streams.Wire.Crypto;
using Streams.Wire.Keys;

namespace Streams.AgentLink.Tests;

[SupportedOSPlatform("linux")]
public sealed class ConnectTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("agentlink").FullName;

    [Fact]
    public void BackoffIsUniformBelowAGrowingBound()
    {
        var random = new Random(5);
        for (var failures = 0; failures < 12; failures++)
        {
            var bound = Math.Min(60_000, 500 * Math.Pow(2, failures));
            var waits = Enumerable.Range(0, 500).Select(_ => Fresh(failures).Next(TimeSpan.Zero).TotalMilliseconds).ToArray();
            Assert.All(waits, wait => Assert.InRange(wait, 0, bound));
            Assert.InRange(waits.Average(), bound * 0.42, bound * 0.58);
        }

        Backoff Fresh(int failures)
        {
            var backoff = new Backoff(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(60), random);
            for (var i = 0; i < failures; i++)
            {
                backoff.Next(TimeSpan.Zero);
            }

            return backoff;
        }
    }

    [Fact]
    public void RetryAfterIsALowerBoundAndItselfBounded()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(60), new Random(1));
        for (var i = 0; i < 100; i++)
        {
            Assert.InRange(backoff.Next(TimeSpan.FromSeconds(90)).TotalSeconds, 90, 112.5);
            Assert.InRange(backoff.Next(TimeSpan.FromDays(90)).TotalHours, 1, 1.25);
        }

        backoff.Reset();
        Assert.InRange(backoff.Next(TimeSpan.Zero).TotalMilliseconds, 0, 500);
    }

    [Fact]
    public void TheConnectCounterOnlyGrowsAlsoOverRestarts()
    {
        var path = Path.Combine(_directory, "connects");
        Assert.Equal(1UL, new ConnectCounterFile(path).Next());
        var counter = new ConnectCounterFile(path);
        Assert.Equal(2UL, counter.Next());
        Assert.Equal(3UL, counter.Next());
        Assert.Equal("3\n", File.ReadAllText(path));
        File.WriteAllText(path, "three");
        var damaged = Assert.Throws<InvalidDataException>(() => counter.Next());
        Assert.StartsWith(path, damaged.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AKeyFileMustBePrivateAndWhole()
    {
        var path = Path.Combine(_directory, "agent.key");
        Assert.False(KeyFileReader.TryRead(path, KeyFileKind.Agent, out _, out var missing));
        Assert.Equal($"{path}: no such key file", missing);

        using var key = SigningKey.Generate();
        File.WriteAllBytes(path, KeyFile.Format(KeyFileKind.Agent, key));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.False(KeyFileReader.TryRead(path, KeyFileKind.Agent, out _, out var open));
        Assert.Equal($"{path}: key file mode is 0640, must be 0600: run chmod 600 {path}", open);

        File.SetUnixFileMode(path, KeyFile.RequiredMode);
        Assert.True(KeyFileReader.TryRead(path, KeyFileKind.Agent, out var read, out _));
        Assert.Equal(key.PublicKey.ToArray(), read!.PublicKey.ToArray());
        read.Dispose();
        Assert.False(KeyFileReader.TryRead(path, KeyFileKind.Root, out _, out var kind));
        Assert.Contains("wrong kind", kind, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryOptionOutOfRangeIsNamed()
    {
        using var gateway = new ScriptedGateway();
        var options = gateway.Options;
        Assert.Null(options.Validate());
        (AgentLinkOptions Options, string Named)[] wrong =
        [
            (options with { Gateway = new Uri("https://gw:1") }, "gateway"),
            (options with { Gateway = new Uri("ws://gw:1/x") }, "gateway"),
            (options with { GatewayName = "Gw" }, "gateway name"),
            (options with { HostName = "" }, "host name"),
            (options with { AgentVersion = new string('x', 99) }, "version"),
            (options with { RetentionBytes = 1000 }, "retention bytes"),
            (options with { MaxFrameBytes = 1 << 20 }, "max frame bytes"),
            (options with { ConnectTimeout = TimeSpan.Zero }, "connect timeout"),
            (options with { HandshakeTimeout = TimeSpan.FromHours(1) }, "handshake timeout"),
            (options with { BackoffBase = TimeSpan.Zero }, "backoff base"),
            (options with { BackoffMax = TimeSpan.Zero }, "backoff max"),
        ];
        foreach (var (bad, named) in wrong)
        {
            var error = bad.Validate();
            Assert.Contains(named, error, StringComparison.Ordinal);
            Assert.DoesNotContain("\n", error, StringComparison.Ordinal);
            Assert.Throws<ArgumentException>(() => new AgentLink(bad, gateway.Agent, new AgentLinkHooks { NextConnectCounter = () => 1 }));
        }
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
