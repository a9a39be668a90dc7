using Microsoft.Extensions.Logging.Abstractions;
using Streams.Local;
using Streams.Queue;
using Streams.Testing;

namespace Streams.Services.Tests;

public sealed class StreamsServicesTests : IAsyncLifetime, IDisposable
{
    private readonly TempDirectory _directory = new("services");
    private readonly NatsProcess _nats = new();

    public Task InitializeAsync() => _nats.InitializeAsync();

    public async Task DisposeAsync() => await _nats.DisposeAsync();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Without_a_worker_before_it_it_says_so_and_with_one_it_runs_and_sees_the_queue_go()
    {
        await using (var early = new StreamsServices(Options(), NullLoggerFactory.Instance))
        {
            var error = await Assert.ThrowsAsync<QueueException>(() => early.StartAsync());
            Assert.Contains("Start a worker", error.Message, StringComparison.Ordinal);
            Assert.Equal(new ServicesHealth(false, "starting"), early.Health);
        }

        await using (var worker = await QueueConnection.OpenAsync(new QueueOptions
        {
            Url = _nats.Url,
            Role = QueueRole.Worker,
            Seed = _nats.Seed(NatsRole.Worker),
            Name = "test worker",
        }))
            await Topology.CreateAsync(worker, new TopologyOptions { IngestBytes = 48L << 20 });
        await using var services = new StreamsServices(Options(), NullLoggerFactory.Instance);
        await services.StartAsync();
        Assert.Equal(new ServicesHealth(true, "ok"), services.Health);
        await _nats.KillAsync();
        await Eventually.TrueAsync(() => services.Health is { Healthy: false }, "the queue is away");
        await _nats.RestartAsync();
        await Eventually.TrueAsync(() => services.Health is { Healthy: true }, "the queue is back");
        await services.StopAsync();
        Assert.False(services.Health.Healthy);
    }

    [Fact]
    public void Settings_that_are_wrong_are_named()
    {
        Assert.Null(Options().Check());
        Assert.Contains("nats://", (Options() with { NatsUrl = new Uri("http://x/") }).Check(), StringComparison.Ordinal);
        Assert.Contains("http://", (Options() with { ClickHouseUrl = new Uri("nats://x/") }).Check(), StringComparison.Ordinal);
        Assert.Contains("seed", (Options() with { NatsSeedFile = "/none" }).Check(), StringComparison.Ordinal);
        Assert.Contains("password", (Options() with { ClickHousePasswordFile = "/none" }).Check(), StringComparison.Ordinal);
        Assert.Contains("partitions", (Options() with { Partitions = 0 }).Check(), StringComparison.Ordinal);
    }

    private ServicesOptions Options()
    {
        var password = _directory.File("password");
        File.WriteAllText(password, "unused\n");
        return new ServicesOptions
        {
            NatsUrl = _nats.Url,
            NatsSeedFile = _nats.Credentials.NatsSeedFile(NatsRole.Services),
            ClickHouseUrl = new Uri("http://127.0.0.1:1/"),
            ClickHousePasswordFile = password,
            Name = "test",
        };
    }
}
