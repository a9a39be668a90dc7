using System.Text;
using Streams.Agent.Logging;

namespace Streams.Agent.Tests;

public sealed class AgentLogTests
{
    private readonly MemoryStream _output = new();
    private readonly ManualClock _clock = new();

    [Fact]
    public void A_message_is_one_line_with_time_level_id_and_source()
    {
        Log().Warn(AgentEvent.ModuleFailed, "core", "module x failed:\nbad");
        Assert.Equal("2026-01-01T00:00:00.000Z warn 1011 core: module x failed: bad\n", Text());
    }

    [Fact]
    public void Lines_below_the_level_are_not_written()
    {
        new AgentLog(_output, AgentLogLevel.Warn, _clock).Info(AgentEvent.Started, "core", "hello");
        Assert.Equal("", Text());
    }

    [Fact]
    public void A_flood_is_held_back_and_counted()
    {
        var log = Log();
        for (var i = 0; i < 25; i++)
            log.Info(AgentEvent.LinkState, "comm", "again");
        log.Info(AgentEvent.Started, "core", "another id is not held back");
        Assert.Equal(AgentLog.Burst + 1, Text().Split('\n').Length - 1);
        _clock.Pass(AgentLog.Window);
        log.Info(AgentEvent.LinkState, "comm", "later");
        Assert.EndsWith("comm: later (and 15 more like this)\n", Text());
    }

    [Fact]
    public void A_clock_that_is_set_back_silences_nothing()
    {
        var log = Log();
        for (var i = 0; i <= AgentLog.Burst; i++)
            log.Info(AgentEvent.LinkState, "comm", "again");
        _clock.SetWall(DateTimeOffset.UnixEpoch);
        _clock.Pass(AgentLog.Window);
        log.Info(AgentEvent.LinkState, "comm", "later");
        Assert.EndsWith("1970-01-01T00:00:10.000Z info 1020 comm: later (and 1 more like this)\n", Text());
    }

    [Fact]
    public void A_long_text_is_cut_and_stays_a_line()
    {
        Log().Info(AgentEvent.Started, "core", new string('x', 10_000));
        Assert.Single(Text().TrimEnd('\n').Split('\n'));
        Assert.True(_output.Length <= 2048);
    }

    private AgentLog Log() => new(_output, AgentLogLevel.Debug, _clock);

    private string Text() => Encoding.UTF8.GetString(_output.ToArray());
}
