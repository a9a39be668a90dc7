using Streams.Testing;

namespace Streams.Worker.Tests;

/// <summary>A bad option is one line that says what and how to mend.</summary>
public sealed class WorkerOptionsTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly WorkerOptions _good;

    public WorkerOptionsTests()
    {
        File.WriteAllText(_directory.File("seed"), "x");
        File.SetUnixFileMode(_directory.File("seed"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(_directory.File("open"), "x");
        File.SetUnixFileMode(_directory.File("open"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        _good = new WorkerOptions
        {
            NatsUrl = new Uri("nats://127.0.0.1:4222"),
            NatsSeedFile = _directory.File("seed"),
            ClickHouseUrl = new Uri("http://127.0.0.1:8123"),
            ClickHousePasswordFile = _directory.File("seed"),
        };
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void The_defaults_are_good() => Assert.Null(_good.Check());

    [Fact]
    public void Every_bad_value_is_named_in_one_line()
    {
        (WorkerOptions Options, string Says)[] bad =
        [
            (_good with { NatsUrl = new Uri("http://x") }, "NATS address 'http://x/'"),
            (_good with { ClickHouseUrl = new Uri("nats://x") }, "ClickHouse address 'nats://x/'"),
            (_good with { NatsSeedFile = "/nowhere" }, "'/nowhere' does not exist"),
            (_good with { ClickHousePasswordFile = "/nowhere" }, "'/nowhere' does not exist"),
            (_good with { NatsSeedFile = _directory.File("open") }, "has mode 0604, must be 0600: run chmod 600"),
            (_good with { ClickHousePasswordFile = _directory.File("open") }, "has mode 0604, must be 0600: run chmod 600"),
            (_good with { ClickHouseUser = " " }, "user is empty"),
            (_good with { Database = "a-b" }, "database 'a-b'"),
            (_good with { Partitions = 0 }, "partitions is 0, must be 1-64"),
            (_good with { LingerMinimum = TimeSpan.FromSeconds(5) }, "linger 5000-2000 ms"),
            (_good with { MaxRowsPerBlock = 2_000_000 }, "rows per block is 2000000"),
            (_good with { TtlDays = 0 }, "ttl is 0 days"),
            (_good with { OpenRanges = 99 }, "open ranges is 99"),
            (_good with { Lease = TimeSpan.Zero }, "lease is 0 s"),
            (_good with { WatermarkInterval = TimeSpan.Zero }, "watermark interval is 0 ms"),
        ];
        foreach (var (options, says) in bad)
        {
            var line = options.Check();
            Assert.Contains(says, line);
            Assert.DoesNotContain("\n", line);
            Assert.StartsWith("worker: ", line, StringComparison.Ordinal);
        }
    }
}
