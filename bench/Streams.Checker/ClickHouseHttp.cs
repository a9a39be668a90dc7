using System.Net.Http.Headers;
using System.Text;

namespace Streams.Checker;

/// <summary>ClickHouse over plain HTTP, as curl would: the checker must not share code with what it judges.</summary>
internal sealed class ClickHouseHttp : IDisposable
{
    private readonly HttpClient _http;

    public ClickHouseHttp(Uri url, string user, string password, string database)
    {
        _http = new HttpClient
        {
            BaseAddress = new Uri(url, $"/?database={Uri.EscapeDataString(database)}&default_format=TabSeparated"),
            Timeout = TimeSpan.FromMinutes(5),
        };
        var secret = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", secret);
    }

    /// <summary>Runs a query and returns its rows, split at tabs.</summary>
    /// <exception cref="InvalidOperationException">The server refused; its first line.</exception>
    public async Task<IReadOnlyList<string[]>> RowsAsync(string sql, CancellationToken cancel)
    {
        using var content = new StringContent(sql, Encoding.UTF8);
        using var response = await _http.PostAsync(_http.BaseAddress, content, cancel).ConfigureAwait(false);
        var body = await response.Content.ReadAsStringAsync(cancel).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"ClickHouse answered {(int)response.StatusCode}: {body.Split('\n')[0]}");
        }

        return [.. body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))];
    }

    public void Dispose() => _http.Dispose();
}
