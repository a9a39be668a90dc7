using Streams.AgentLink.Credit;
using Streams.AgentLink.Tests.Gateway;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Frames;

namespace Streams.AgentLink.Tests;

public sealed class CreditTests
{
    [Fact]
    public async Task NothingIsSentWithoutCredit()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        await using var peer = await gateway.AcceptSessionAsync();
        link.Append(PriorityClass.Alert, 1000);
        await peer.ReceiveAsync(FrameType.Want);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => peer.ReceiveAsync(FrameType.Data, TimeSpan.FromMilliseconds(300)));
    }

    /// <summary>The peer asserts at every frame that the class is not above its offset.</summary>
    [Fact]
    public async Task NeverAByteAboveTheOffsetWhateverIsGranted()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        var random = new Random(7);
        var expected = new uint[Wire.Limits.LaneClasses];
        for (var i = 0; i < 100; i++)
        {
            var priority = (PriorityClass)random.Next(1, 6);
            Assert.Equal(AppendResult.Appended, link.Append(priority, random.Next(TestSealer.MinLength, 15_000)));
            expected[(int)priority]++;
        }

        await using var peer = await gateway.AcceptSessionAsync();
        var received = new uint[Wire.Limits.LaneClasses];
        var reader = Task.Run(async () =>
        {
            for (var total = 0; total < 100;)
            {
                var (header, payload) = await peer.ReceiveAsync(FrameType.Data);
                var count = Count(payload);
                received[(int)header.LaneClass] += (uint)count;
                total += count;
            }
        });
        while (!reader.IsCompleted)
        {
            // Odd sizes, repeats, classes that want nothing.
            await peer.GrantAsync((LaneClass)random.Next(1, 6), (ulong)random.Next(1, 9_000));
            await peer.SendCreditAsync();
            await Task.Delay(1);
        }

        await reader;
        Assert.Equal(expected, received);
    }

    [Fact]
    public void SharesFollowTheWeightsWhateverTheFrameSizes()
    {
        var scheduler = new FrameScheduler();
        var random = new Random(3);
        var sent = new long[Wire.Limits.LaneClasses];
        bool[] eligible = [false, false, true, true, true, true];
        for (var i = 0; i < 20_000; i++)
        {
            var picked = scheduler.Pick(eligible);
            var bytes = random.Next(300, Wire.Limits.MaxFrameBytes);
            scheduler.Sent(picked, bytes);
            sent[picked] += bytes;
        }

        double total = sent.Sum();
        Assert.Equal(8 / 15.0, sent[2] / total, 0.01);
        Assert.Equal(4 / 15.0, sent[3] / total, 0.01);
        Assert.Equal(2 / 15.0, sent[4] / total, 0.01);
        Assert.Equal(1 / 15.0, sent[5] / total, 0.01);
    }

    [Fact]
    public void ControlAndResponseGoFirstStrictlyAndNothingIsPickedWithoutWork()
    {
        var scheduler = new FrameScheduler();
        Assert.Equal(-1, scheduler.Pick(new bool[6]));
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(1, scheduler.Pick([false, true, true, true, true, true]));
            scheduler.Sent(1, 200_000);
            Assert.Equal(0, scheduler.Pick([true, true, true, true, true, true]));
            scheduler.Sent(0, 200_000);
        }
    }

    [Fact]
    public void SilenceSavesNothingUp()
    {
        var scheduler = new FrameScheduler();
        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal(5, scheduler.Pick([false, false, false, false, false, true]));
            scheduler.Sent(5, 16_384);
        }

        // Alerts that begin now get their share, and bulk is not locked out for its past.
        var bulk = 0;
        for (var i = 0; i < 900; i++)
        {
            var picked = scheduler.Pick([false, false, true, false, false, true]);
            scheduler.Sent(picked, 16_384);
            bulk += picked == 5 ? 1 : 0;
        }

        Assert.InRange(bulk, 90, 110);
    }

    [Fact]
    public void ALowerOffsetIsARepeatAndIgnored()
    {
        var credit = new CreditWindow();
        credit.Grant([0, 0, 0, 1000, 0, 0]);
        credit.Use(3, 600);
        credit.Grant([0, 0, 0, 700, 0, 0]);
        Assert.Equal(400, credit.Available(3));
        Assert.Throws<InvalidOperationException>(() => credit.Use(3, 401));
    }

    [Fact]
    public async Task AResponseOvertakesABacklogOfEvents()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        for (var i = 0; i < 20; i++)
        {
            link.Append(PriorityClass.Event, 50_000);
        }

        link.Append(PriorityClass.Response, 500);
        link.Append(PriorityClass.Alert, 500);
        await using var peer = await gateway.AcceptSessionAsync();
        await peer.ReceiveAsync(FrameType.Want);
        await peer.GrantAllAsync(8 << 20);
        var order = new List<LaneClass>();
        for (var i = 0; i < 3; i++)
        {
            order.Add((await peer.ReceiveDataAsync()).Class);
        }

        Assert.Equal(LaneClass.Response, order[0]);
        Assert.Equal(LaneClass.Alert, order[1]);
        Assert.Equal(LaneClass.Event, order[2]);
    }

    private static int Count(byte[] payload)
    {
        var sequence = new BatchSequence(payload.AsMemory(0, BatchSequence.LengthWithoutPadding(payload)));
        var count = 0;
        while (sequence.MoveNext())
        {
            count++;
        }

        return count;
    }
}
