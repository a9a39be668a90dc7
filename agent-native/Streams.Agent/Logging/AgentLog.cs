using System.Text;

namespace Streams.Agent.Logging;

/// <summary>
/// One line per message on standard error: time, level, event id, source, text. At most <see cref="Burst"/> lines per event id in
/// <see cref="Window"/>; what was held back is counted on the next line of that id. Thread-safe.
/// </summary>
/// <remarks>Microsoft.Extensions.Logging with its console provider would cost the agent a tenth of its memory for the same line.</remarks>
internal sealed class AgentLog(Stream output, AgentLogLevel minimum, TimeProvider clock)
{
    public const int Burst = 10;
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<AgentEvent, Allowance> _allowances = [];
    private readonly byte[] _line = new byte[2048];

    public static AgentLog ToStandardError(string level) => new(Console.OpenStandardError(), Parse(level), TimeProvider.System);

    public void Debug(AgentEvent id, string source, string text) => Write(AgentLogLevel.Debug, id, source, text);

    public void Info(AgentEvent id, string source, string text) => Write(AgentLogLevel.Info, id, source, text);

    public void Warn(AgentEvent id, string source, string text) => Write(AgentLogLevel.Warn, id, source, text);

    public void Error(AgentEvent id, string source, string text) => Write(AgentLogLevel.Error, id, source, text);

    private static AgentLogLevel Parse(string level) => level switch
    {
        "debug" => AgentLogLevel.Debug,
        "warn" => AgentLogLevel.Warn,
        "error" => AgentLogLevel.Error,
        _ => AgentLogLevel.Info,
    };

    private void Write(AgentLogLevel level, AgentEvent id, string source, string text)
    {
        if (level < minimum)
            return;
        lock (_gate)
        {
            var now = clock.GetUtcNow();
            if (!Take(id, out var suppressed))
                return;
            var length = Format(now, level, id, source, text, suppressed);
            try
            {
                output.Write(_line, 0, length);
            }
            catch (IOException)
            {
                // Standard error is gone (its reader ended): logging must not end the agent.
            }
        }
    }

    // The window is on the monotonic clock: a wall clock that is set back must not silence a line for as long.
    private bool Take(AgentEvent id, out int suppressed)
    {
        var now = clock.GetTimestamp();
        suppressed = 0;
        if (!_allowances.TryGetValue(id, out var allowance))
            _allowances[id] = allowance = new Allowance { Start = now };
        if (clock.GetElapsedTime(allowance.Start, now) >= Window)
        {
            suppressed = allowance.Suppressed;
            allowance.Start = now;
            allowance.Lines = 0;
            allowance.Suppressed = 0;
        }

        if (allowance.Lines++ < Burst)
            return true;
        allowance.Suppressed++;
        return false;
    }

    private int Format(DateTimeOffset now, AgentLogLevel level, AgentEvent id, string source, string text, int suppressed)
    {
        var name = level switch
        {
            AgentLogLevel.Debug => "debug",
            AgentLogLevel.Info => "info",
            AgentLogLevel.Warn => "warn",
            _ => "error",
        };
        var length = Append(0, now.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", null));
        length = Append(length, $" {name} {(int)id} {source}: ");
        var start = length;
        length = Append(length, text);
        // One message is one line, whatever a path or an errno text contains.
        _line.AsSpan(start, length - start).Replace((byte)'\n', (byte)' ');
        if (suppressed > 0)
            length = Append(length, $" (and {suppressed} more like this)");
        _line[length++] = (byte)'\n';
        return length;
    }

    private int Append(int length, string text)
    {
        // The last byte is kept for the line feed.
        Encoding.UTF8.TryGetBytes(text, _line.AsSpan(length, _line.Length - 1 - length), out var written);
        if (written == 0 && text.Length > 0)
        {
            Encoding.UTF8.GetEncoder().Convert(text, _line.AsSpan(length, _line.Length - 1 - length), true, out _, out written, out _);
        }

        return length + written;
    }

    private sealed class Allowance
    {
        public long Start;
        public int Lines;
        public int Suppressed;
    }
}
