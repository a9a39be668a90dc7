using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace LibbpfSharp.Tests.Sensor;

public sealed class LayoutTests : KernelTest
{
    [Fact]
    public void Mirrors_have_the_layout_of_the_objects()
    {
        using var process = TestObjects.Open("process");
        using var network = TestObjects.Open("network");
        Assert.Empty(LayoutCheck.Compare(process, network));
    }

    [Fact]
    public void A_mirror_that_no_object_has_is_found()
    {
        using var process = TestObjects.Open("process");
        Assert.Contains(LayoutCheck.Compare(process), line => line.Contains("network_close_record", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_mirror_is_checked_with_its_real_size()
    {
        Assert.Equal(10, LayoutCheck.Mirrors.Count);
        Assert.Equal(LayoutCheck.Mirrors.Count, LayoutCheck.Mirrors.Select(mirror => mirror.Name).Distinct().Count());
        // Fields of a mirror tile it: no hidden padding that could carry kernel memory out.
        foreach (var mirror in LayoutCheck.Mirrors)
        {
            var end = 0;
            foreach (var field in mirror.Fields)
            {
                Assert.Equal(end, field.Offset);
                end += field.Size;
            }
            Assert.Equal(mirror.Size, end);
        }
    }

    [Fact]
    public void Ids_and_sizes_are_frozen()
    {
        Assert.Equal((ushort[])[1, 2, 3, 4, 5], RecordClass.All.ToArray());
        Assert.Equal(RecordClass.End, RecordClass.All.ToArray().Max() + 1);
        Assert.Equal(64, RecordHeader.ByteSize);
        Assert.Equal(128, ProcessExecRecord.ByteSize);
        Assert.Equal(2u, InstanceIdentity.CurrentLayout);
    }
}
