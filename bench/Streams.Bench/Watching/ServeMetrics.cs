using System.Globalization;
using Streams.Local;

namespace Streams.Bench.Watching;

/// <summary>What `streams serve` says of itself at its metrics endpoint.</summary>
internal sealed class ServeMetrics(Endpoints endpoints) : IDisposable
{
    private const string Allocated = "dotnet_gc_heap_total_allocated";

    private readonly HttpClient _http = new() { BaseAddress = new Uri(endpoints.Operator), Timeout = TimeSpan.FromSeconds(5) };

    /// <summary>Bytes allocated on the managed heap since the process started; null when the endpoint does not say.</summary>
    public async Task<long?> AllocatedAsync(CancellationToken stop)
    {
        var text = await _http.GetStringAsync("metrics", stop);
        var line = text.Split('\n').FirstOrDefault(static line => line.StartsWith(Allocated, StringComparison.Ordinal));
        // name{labels} value [milliseconds]
        return line?[(line.IndexOf('}', StringComparison.Ordinal) + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } fields
            && double.TryParse(fields.First(static field => char.IsAsciiDigit(field[0])), CultureInfo.InvariantCulture, out var bytes) ? (long)bytes : null;
    }

    public void Dispose() => _http.Dispose();
}
