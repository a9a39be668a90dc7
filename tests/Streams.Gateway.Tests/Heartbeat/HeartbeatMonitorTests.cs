using Streams.Gateway.Heartbeat;
using Streams.Wire;

namespace Streams.Gateway.Tests.Heartbeat;

public sealed class HeartbeatMonitorTests
{
    [Fact]
    public void Sessions_end_spread_over_the_last_quarter_of_their_time_and_none_later()
    {
        const long Now = 1_000_000;
        const long Day = Limits.SessionSeconds * 1000L;
        var monitors = Enumerable.Range(0, 1000).Select(_ => new HeartbeatMonitor(Now, 30, Limits.SessionSeconds)).ToList();
        Assert.Equal(0, monitors.Count(monitor => monitor.IsExpired(Now + (Day * 3 / 4) - 1)));
        Assert.InRange(monitors.Count(monitor => monitor.IsExpired(Now + (Day * 7 / 8))), 350, 650);
        Assert.Equal(1000, monitors.Count(monitor => monitor.IsExpired(Now + Day)));
    }
}
