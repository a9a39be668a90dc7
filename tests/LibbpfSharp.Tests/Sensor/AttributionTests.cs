using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace LibbpfSharp.Tests.Sensor;

public sealed class AttributionTests
{
    [Fact]
    public void Holes_get_what_was_counted_and_not_given_before()
    {
        LossAttribution losses = default;
        var first = losses.Attribute(3, new LostCounters { RingFull = 3 }, out var unknown);
        Assert.Equal((3ul, 0ul), (first.RingFull, unknown));
        var second = losses.Attribute(4, new LostCounters { RingFull = 5, Shed = 2 }, out unknown);
        Assert.Equal((2ul, 2ul, 0ul), (second.RingFull, second.Shed, unknown));
        Assert.Equal(0ul, losses.Unattributed(new LostCounters { RingFull = 5, Shed = 2 }));
    }

    [Fact]
    public void What_no_counter_explains_is_unknown()
    {
        LossAttribution losses = default;
        var causes = losses.Attribute(5, new LostCounters { ReadFault = 2 }, out var unknown);
        Assert.Equal((2ul, 3ul), (causes.ReadFault, unknown));
        Assert.Equal(0ul, losses.Unattributed(new LostCounters { ReadFault = 2 }));
    }

    [Fact]
    public void Losses_counted_above_the_hole_are_left_for_the_next()
    {
        LossAttribution losses = default;
        losses.Attribute(1, new LostCounters { RingFull = 4 }, out _);
        Assert.Equal(3ul, losses.Unattributed(new LostCounters { RingFull = 4 }));
        var next = losses.Attribute(3, new LostCounters { RingFull = 4 }, out var unknown);
        Assert.Equal((3ul, 0ul), (next.RingFull, unknown));
    }

    [Fact]
    public void Window_sorts_and_keeps_the_earliest_position_at_which_its_hole_is_final()
    {
        var window = new ReorderWindow();
        Assert.True(window.Add(5, [5], 100));
        Assert.True(window.Add(3, [3, 3], 120));
        Assert.True(window.Add(9, [9], 140));
        Assert.False(window.Add(5, [0], 150));
        Assert.Equal(100ul, window.FinalFrom);
        Assert.Equal(3ul, window.FirstSeq);
        Assert.Equal([3, 3], window.First.ToArray());
        window.RemoveFirst();
        Assert.Equal([5], window.First.ToArray());
        window.RemoveFirst();
        Assert.Equal(140ul, window.FinalFrom);
        Assert.Equal(9ul, window.FirstSeq);
        window.RemoveFirst();
        Assert.Equal(0, window.Count);
    }

    [Fact]
    public void Window_holds_64_in_any_order_without_mixing_bytes()
    {
        var random = new Random(3);
        var window = new ReorderWindow();
        for (var round = 0; round < 50; round++)
        {
            var numbers = Enumerable.Range(1, ReorderWindow.Capacity).Select(i => (ulong)i).ToArray();
            random.Shuffle(numbers);
            foreach (var number in numbers)
            {
                Assert.False(window.IsFull);
                var bytes = new byte[random.Next(1, 500)];
                bytes.AsSpan().Fill((byte)number);
                Assert.True(window.Add(number, bytes, number));
            }
            Assert.True(window.IsFull);
            for (ulong expected = 1; expected <= ReorderWindow.Capacity; expected++)
            {
                Assert.Equal(expected, window.FirstSeq);
                Assert.True(window.First.IndexOfAnyExcept((byte)expected) < 0);
                window.RemoveFirst();
            }
        }
    }
}
