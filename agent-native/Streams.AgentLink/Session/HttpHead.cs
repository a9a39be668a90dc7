using System.Globalization;
using System.Text;

namespace Streams.AgentLink.Session;

/// <summary>The head of an HTTP response: status line and header fields, read from a connection that goes on behind it.</summary>
internal sealed class HttpHead
{
    private const int MaxBytes = 4096;
    private const int MaxRetryAfterSeconds = 3600;

    private readonly string[] _lines;

    internal HttpHead(string text)
    {
        _lines = text.Split("\r\n");
        var status = _lines[0].Split(' ', 3);
        Status = status.Length >= 2 && status[0] is "HTTP/1.1" or "HTTP/1.0" && int.TryParse(status[1], NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            ? code : 0;
    }

    /// <summary>0 when there is none.</summary>
    internal int Status { get; }

    /// <summary>The status line as it may stand in a log.</summary>
    internal string StatusLine => new([.. _lines[0].Where(c => c is >= ' ' and < (char)127).Take(120)]);

    internal TimeSpan RetryAfter =>
        int.TryParse(Single("Retry-After"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(Math.Min(seconds, MaxRetryAfterSeconds)) : TimeSpan.Zero;

    /// <summary>Value of a header that must occur once; null when it is absent, an impossible value when it is repeated.</summary>
    internal string? Single(string name)
    {
        string? found = null;
        for (var i = 1; i < _lines.Length; i++)
        {
            var colon = _lines[i].IndexOf(':');
            if (colon > 0 && _lines[i].AsSpan(0, colon).Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                found = found is null ? _lines[i][(colon + 1)..].Trim() : "\0";
            }
        }

        return found;
    }

    /// <summary>Sends a request and reads the head of its answer; what came behind it is in the second result.</summary>
    /// <param name="what">Names the exchange in errors.</param>
    internal static async Task<(HttpHead Head, byte[] Early)> AskAsync(Stream stream, string request, string what, CancellationToken cancellation)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), cancellation).ConfigureAwait(false);
        var buffer = new byte[MaxBytes];
        var filled = 0;
        while (true)
        {
            var end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                return (new HttpHead(Encoding.ASCII.GetString(buffer, 0, end)), buffer[(end + 4)..filled]);
            }

            var read = filled < buffer.Length ? await stream.ReadAsync(buffer.AsMemory(filled), cancellation).ConfigureAwait(false) : 0;
            if (read == 0)
            {
                throw new LinkEndedException(new LinkEnd(LinkEndReason.NotReached,
                    filled == buffer.Length ? $"the answer to {what} is too long" : $"the connection closed during {what}"));
            }

            filled += read;
        }
    }
}
