using System.Globalization;

namespace Streams.Bench.Watching;

/// <summary>What `streams serve` says of itself at its metrics endpoint.</summary>
/// <param name="operatorAddress">As `http://host:port`.</param>
internal sealed class ServeMetrics(Uri operatorAddress) : IDisposable
{
    private const string Allocated = "dotnet_gc_heap_total_allocated";

    private readonly HttpClient _http = new() { BaseAddress = operatorAddress, Timeout = TimeSpan.FromSeconds(5) };

    /// <summary>Bytes allocated on the managed heap since the process started; null when the endpoint does not say.</summary>
    public Task<long?> AllocatedAsync(CancellationToken stop) => SumAsync(Allocated, stop);

    /// <summary>Sum of the values, whatever their labels, of the metrics whose name begins with <paramref name="name"/>; null when there is
    /// none.</summary>
    /// <exception cref="HttpRequestException">The process is not there.</exception>
    public async Task<long?> SumAsync(string name, CancellationToken stop)
    {
        var text = await _http.GetStringAsync("metrics", stop);
        return Sum(text, name);
    }

    /// <summary>The same of several at one moment; what is not there is left out.</summary>
    /// <exception cref="HttpRequestException">The process is not there.</exception>
    public async Task<IEnumerable<(string Name, long Sum)>> SumsAsync(IEnumerable<string> names, CancellationToken stop)
    {
        var text = await _http.GetStringAsync("metrics", stop);
        return names.Select(name => (name, Sum(text, name))).Where(sum => sum.Item2 is not null).Select(sum => (sum.name, sum.Item2!.Value));
    }

    public void Dispose() => _http.Dispose();

    private static long? Sum(string text, string name)
    {
        double? sum = null;
        foreach (var line in text.Split('\n').Where(line => line.StartsWith(name, StringComparison.Ordinal)))
        {
            // name{labels} value [milliseconds]
            var values = line[(line.Contains('}', StringComparison.Ordinal) ? line.LastIndexOf('}') + 1 : line.IndexOf(' ', StringComparison.Ordinal))..];
            if (values.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var value, ..]
                && double.TryParse(value, CultureInfo.InvariantCulture, out var number))
            {
                sum = (sum ?? 0) + number;
            }
        }

        return (long?)sum;
    }
}
