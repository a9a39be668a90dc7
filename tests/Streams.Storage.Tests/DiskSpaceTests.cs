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
    public async Task Inserts_that_begin_together_after_a_pause_are_all_believed_whichever_look_ends_first()
    {
        using var client = Client(shortBelow: 1);
        var space = new DiskSpace(client, _time);
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(2 * DiskSpace.LongestGap);
            var looks = new List<Task<long>>();
            for (var insert = 0; insert < 4; insert++)
            {
                looks.Add(space.BeforeAsync());
                _time.Advance(TimeSpan.FromMilliseconds(1));
            }

            foreach (var before in await Task.WhenAll(looks))
            {
                Assert.Null(await space.AfterAsync(before));
            }
        }
    }

    [Fact]
    public async Task A_long_insert_is_looked_after_while_it_runs_and_believed()
    {
        using var client = Client(shortBelow: 1);
        var space = new DiskSpace(client, _time);
        var before = await space.BeforeAsync();
        await LongInsertAsync(space);
        Assert.True(_time.GetElapsedTime(before) > 3 * DiskSpace.LongestGap);
        Assert.Null(await space.AfterAsync(before));
    }

    [Fact]
    public async Task A_shortage_inside_a_long_insert_is_said_though_there_was_room_before_and_after()
    {
        var port = Relay.FreePort();
        using var client = new StorageClient(engine.Client.Options with { ShortDiskBytes = 1, Url = new Uri($"http://127.0.0.1:{port}/") });
        using var stop = new CancellationTokenSource();
        var relay = Relay.RunAsync(port, engine.Client.Options.Url.Port, stop.Token);
        var space = new DiskSpace(client, _time);
        var before = await space.BeforeAsync();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => relay);
        await LongInsertAsync(space);
        using var again = new CancellationTokenSource();
        _ = Relay.RunAsync(port, engine.Client.Options.Url.Port, again.Token);
        Assert.Contains("not to be known", await space.AfterAsync(before), StringComparison.Ordinal);
        await again.CancelAsync();
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
        var port = Relay.FreePort();
        using var client = new StorageClient(engine.Client.Options with { ShortDiskBytes = 1, Url = new Uri($"http://127.0.0.1:{port}/") });
        var space = new DiskSpace(client, _time);
        var before = await space.BeforeAsync();
        using var stop = new CancellationTokenSource();
        _ = Relay.RunAsync(port, engine.Client.Options.Url.Port, stop.Token);
        Assert.Contains("not to be known", await space.AfterAsync(before), StringComparison.Ordinal);
        _time.Advance(DiskSpace.Aftermath - TimeSpan.FromMilliseconds(1));
        Assert.Contains("not to be known", await space.AfterAsync(await space.BeforeAsync()), StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(await space.AfterAsync(await space.BeforeAsync()));
        await stop.CancelAsync();
    }

    // Ten looks long: every delay passes at once, and the clock with it.
    private async Task LongInsertAsync(DiskSpace space)
    {
        var insert = new TaskCompletionSource();
        var delays = 0;
        _time.Delayed = () =>
        {
            if (++delays == 10)
            {
                insert.SetResult();
            }
        };
        await space.DuringAsync(insert.Task);
        Assert.Equal(10, delays);
    }

    private StorageClient Client(long shortBelow) => new(engine.Client.Options with { ShortDiskBytes = shortBelow });

    private sealed class ManualTime : TimeProvider
    {
        private long _now = 1;

        /// <summary>Set: a timer advances the clock by what it waits for, calls this, and is due at once.</summary>
        public Action? Delayed { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref _now);

        public void Advance(TimeSpan time) => Interlocked.Add(ref _now, time.Ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (Delayed is null || dueTime <= TimeSpan.Zero)
            {
                return base.CreateTimer(callback, state, dueTime, period);
            }

            Advance(dueTime);
            Delayed();
            return base.CreateTimer(callback, state, TimeSpan.FromMilliseconds(1), period);
        }
    }
}
