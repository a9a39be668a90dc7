using System.Net.Http.Headers;
using System.Text;
using Streams.Local;

namespace Streams.Bench.Running;

/// <summary>ClickHouse's HTTP interface as any user has it: no driver, no code of the event path is involved.</summary>
internal sealed class EngineClient : IDisposable
{
    private readonly HttpClient _http;

    public EngineClient(Endpoints endpoints)
        : this(new Uri(endpoints.ClickHouse), endpoints.ClickHouseUser, File.ReadAllText(endpoints.ClickHousePasswordFile).Trim(), "streams")
    {
    }

    public EngineClient(Uri address, string user, string password, string database)
    {
        _http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(2) };
        _http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));
        _http.DefaultRequestHeaders.Add("X-ClickHouse-Database", database);
    }

    public async Task<List<string[]>> QueryAsync(string query, CancellationToken stop) =>
        [.. (await TextAsync(query, "TabSeparated", stop)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))];

    /// <summary>The result as ClickHouse prints it in <paramref name="format"/>.</summary>
    /// <exception cref="BenchFailure">The server refused the query.</exception>
    public async Task<string> TextAsync(string query, string format, CancellationToken stop)
    {
        using var content = new StringContent(query);
        using var response = await _http.PostAsync($"/?default_format={format}", content, stop);
        var text = await response.Content.ReadAsStringAsync(stop);
        return response.IsSuccessStatusCode ? text : throw new BenchFailure($"query failed: {text.Trim()}");
    }

    /// <summary>Posts a prepared `Native` block as it is.</summary>
    /// <exception cref="BenchFailure">The server refused it.</exception>
    public async Task InsertAsync(string query, byte[] native, CancellationToken stop)
    {
        using var content = new ByteArrayContent(native);
        using var response = await _http.PostAsync("/?query=" + Uri.EscapeDataString(query), content, stop);
        if (!response.IsSuccessStatusCode)
        {
            throw new BenchFailure($"insert failed: {(await response.Content.ReadAsStringAsync(stop)).Trim()}");
        }
    }

    public void Dispose() => _http.Dispose();
}
