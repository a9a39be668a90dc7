using System.Net;
using System.Net.Sockets;

namespace Streams.Storage.Tests;

/// <summary>When a success is evidence of rows.</summary>
[Collection(EngineCollection.Name)]
public sealed class DiskSpaceTests(Engine engine)
{
    private readonly ManualTime _time = new();

    [Fact]
    public async Task With_room_before_and_after_a_quick_insert_a_success_is_believed()
    {
        using var client = Client(shortBelow: 1);
        var space = new DiskSpace(client, _time);
        var before = await space.BeforeAsync();
        _time.Advance(DiskSpace.LongestGap);
        Assert.Null(await space.AfterAsync(before));
    }

    [Fact]
    public async Task An_insert_so_long_that_the_disk_could_have_filled_and_been_emptied_is_read_back()
    {
        using var client = Client(shortBelow: 1);
        var space = new DiskSpace(client, _time);
        var before = await space.BeforeAsync();
        _time.Advance(DiskSpace.LongestGap + TimeSpan.FromMilliseconds(1));
        Assert.Contains("nobody looked", await space.AfterAsync(before), StringComparison.Ordinal);
        Assert.Null(await space.AfterAsync(await space.BeforeAsync()));
    }

    [Fact]
    public async Task A_disk_that_is_short_is_said_with_what_it_has_left()
    {
        using var client = Client(shortBelow: long.MaxValue);
        var space = new DiskSpace(client, _time);
        Assert.Contains("bytes left", await space.AfterAsync(await space.BeforeAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_that_cannot_be_asked_is_short_and_what_was_short_is_not_believed_for_a_minute()
    {
        using var relay = new TcpListener(IPAddress.Loopback, 0);
        relay.Start();
        var port = ((IPEndPoint)relay.LocalEndpoint).Port;
        relay.Stop();
        using var client = new StorageClient(engine.Client.Options with { ShortDiskBytes = 1, Url = new Uri($"http://127.0.0.1:{port}/") });
        var space = new DiskSpace(client, _time);
        var before = await space.BeforeAsync();
        using var stop = new CancellationTokenSource();
        _ = RelayAsync(port, engine.Client.Options.Url.Port, stop.Token);
        Assert.Contains("not to be known", await space.AfterAsync(before), StringComparison.Ordinal);
        _time.Advance(DiskSpace.Aftermath - TimeSpan.FromMilliseconds(1));
        Assert.Contains("not to be known", await space.AfterAsync(await space.BeforeAsync()), StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(await space.AfterAsync(await space.BeforeAsync()));
        await stop.CancelAsync();
    }

    private StorageClient Client(long shortBelow) => new(engine.Client.Options with { ShortDiskBytes = shortBelow });

    private static async Task RelayAsync(int from, int to, CancellationToken stop)
    {
        using var listener = new TcpListener(IPAddress.Loopback, from);
        listener.Start();
        while (true)
        {
            var near = await listener.AcceptTcpClientAsync(stop);
            var far = new TcpClient();
            await far.ConnectAsync(IPAddress.Loopback, to);
            _ = near.GetStream().CopyToAsync(far.GetStream());
            _ = far.GetStream().CopyToAsync(near.GetStream());
        }
    }

    private sealed class ManualTime : TimeProvider
    {
        private long _now = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref _now);

        public void Advance(TimeSpan time) => Interlocked.Add(ref _now, time.Ticks);
    }
}
