using Streams.Gateway.Connections;
using Streams.Gateway.Tests.Support;

namespace Streams.Gateway.Tests.Connections;

public sealed class PeerLogTests
{
    [Fact]
    public void What_peers_cause_is_logged_so_often_and_the_rest_is_a_number()
    {
        var log = new TestLog();
        var lines = new PeerLog(log.CreateLogger("peers"), perSecond: 2, now: 0);
        Assert.Equal(20, Enumerable.Range(0, 100).Count(_ => lines.Line(0) is not null));
        Assert.Null(lines.Line(400));
        Assert.DoesNotContain(log.Lines, line => line.StartsWith("2054 ", StringComparison.Ordinal));
        Assert.NotNull(lines.Line(500));
        Assert.Contains("81 lines", Assert.Single(log.Lines, line => line.StartsWith("2054 ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Null(lines.Line(500));
    }
}
