using Microsoft.Extensions.Logging;

namespace Streams.Worker.Redrive;

/// <summary>Remembers the last thing that was logged: what a person who waits is to be told.</summary>
internal sealed class LastLine : ILogger
{
    public string Text { get; private set; } = "";

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Text = formatter(state, exception);
}
