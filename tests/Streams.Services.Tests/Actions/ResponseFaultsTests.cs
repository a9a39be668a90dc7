using Microsoft.Extensions.Logging;
using Streams.Services.Actions;

namespace Streams.Services.Tests.Actions;

public sealed class ResponseFaultsTests
{
    [Fact]
    public void What_a_gateway_makes_up_is_logged_ten_times_a_second()
    {
        var lines = new Lines();
        var clock = new Clock();
        var faults = new ResponseFaults(lines, clock);
        for (var i = 0; i < 100; i++)
        {
            faults.Unsigned("agent-1", "id", "finished");
            faults.Malformed("agent-1", i);
            faults.Altered("agent-1", "id");
        }

        Assert.Equal(10, lines.Count);
        clock.Seconds++;
        faults.Unsigned("agent-1", "id", "finished");
        Assert.Equal(11, lines.Count);
        Assert.Contains("agent-1", lines.Last, StringComparison.Ordinal);
    }

    private sealed class Clock : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }

    private sealed class Lines : ILogger
    {
        public int Count { get; private set; }

        public string Last { get; private set; } = "";

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Count++;
            Last = formatter(state, exception);
        }
    }
}
