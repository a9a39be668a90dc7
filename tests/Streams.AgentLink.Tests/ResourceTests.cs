using Streams.AgentLink.Tests.Gateway;
using Streams.AgentLink.Tests.Spool;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Tests;

[CollectionDefinition(nameof(ResourceTests), DisableParallelization = true)]
public sealed class ResourceCollection;

/// <summary>Alone, because they count what the whole process has.</summary>
[Collection(nameof(ResourceTests))]
public sealed class ResourceTests
{
    [Fact]
    public async Task ReconnectsLeaveNoSocketAndNoKeyBehind()
    {
        using var gateway = new ScriptedGateway();
        await using (var link = new RunningLink(gateway))
        {
            await CycleAsync(gateway, 3);
            var before = Sockets();
            await CycleAsync(gateway, 20);
            Assert.InRange(Sockets(), 0, before + 2);
            Assert.True(link.Link.Status.Sessions >= 23);
        }

        // Keys of sessions that the peer has disposed are back; nothing of the agent's lives in this arena.
        Assert.Equal(0, gateway.Arena.Rented);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AppendingAllocatesNothingAtSteadyState(bool onDisk)
    {
        using var gateway = new ScriptedGateway();
        using var folder = new SpoolFolder();
        await using var link = new RunningLink(gateway, o => onDisk ? o with { SpoolDirectory = folder.Path, SpoolBytes = 256 << 20 } : o);
        await using var peer = await gateway.AcceptSessionAsync();
        await peer.GrantAllAsync(1UL << 40);
        var reader = Task.Run(async () =>
        {
            for (var received = 0; received < 4000;)
            {
                var (_, batches) = await peer.ReceiveDataAsync();
                received += batches.Count;
                await peer.CommitAsync(new LaneWatermark(link.Epoch, batches[^1].Name.Lane, batches[^1].Name.N + 1));
            }
        });
        Append(link, 2000);
        var allocated = await Task.Factory.StartNew(() =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Append(link, 2000);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }, default, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await reader.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(await link.Link.FlushAsync(ScriptedGateway.Deadline));

        // The thread waits for space now and then, which may allocate inside the runtime, and 10 MB are two segments of the spool; 2,000
        // batches may not.
        Assert.InRange(allocated, 0, onDisk ? 12_000 : 2000);
    }

    [Fact]
    public async Task AProducerFasterThanTheServerStaysInsideTheRetention()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway, o => o with { RetentionBytes = 1 << 20 });
        await using var peer = await gateway.AcceptSessionAsync();
        await peer.GrantAllAsync(1UL << 40);
        var producer = Task.Factory.StartNew(() => Append(link, 3000, 20_000), default, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var highest = 0L;
        for (var n = 0u; n < 3000;)
        {
            highest = Math.Max(highest, link.Link.Status.RetainedBytes);
            var (laneClass, batches) = await peer.ReceiveDataAsync();
            Assert.Equal(LaneClass.Event, laneClass);
            Assert.Equal(n, batches[0].Name.N);
            n += (uint)batches.Count;
            await peer.CommitAsync(new LaneWatermark(link.Epoch, 0, n));
        }

        await producer.WaitAsync(ScriptedGateway.Deadline);
        Assert.InRange(highest, 512 * 1024, 1 << 20);
        Assert.True(link.Link.Status.BatchesRefused > 0);
    }

    private static void Append(RunningLink link, int count, int length = 5000)
    {
        var sealer = new TestSealer(length, PriorityClass.Event);
        for (var i = 0; i < count;)
        {
            if (link.Link.TryAppend(PriorityClass.Event, sealer) == AppendResult.Appended)
            {
                i++;
            }
            else
            {
                link.Link.WaitForSpace(TimeSpan.FromSeconds(1));
            }
        }
    }

    private static async Task CycleAsync(ScriptedGateway gateway, int times)
    {
        for (var i = 0; i < times; i++)
        {
            await using var peer = await gateway.AcceptSessionAsync();
            if (i % 2 == 0)
            {
                peer.Cut();
            }
            else
            {
                await peer.GoodbyeAsync(GoodbyeReason.Displaced, 1);
            }
        }
    }

    private static int Sockets()
    {
        var count = 0;
        foreach (var descriptor in Directory.GetFiles("/proc/self/fd"))
        {
            try
            {
                count += File.ResolveLinkTarget(descriptor, false)?.Name.StartsWith("socket:", StringComparison.Ordinal) == true ? 1 : 0;
            }
            catch (IOException)
            {
                // Closed between the listing and the look.
            }
        }

        return count;
    }
}
