using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;

namespace Streams.Host.Terminal;

/// <summary>
/// Queries over ClickHouse's HTTP interface for the operator's commands, in whatever output format was asked for. The event path does not
/// use this: it inserts through the driver.
/// </summary>
internal sealed partial class ClickHouseHttp : IDisposable
{
    private readonly HttpClient _http;

    public ClickHouseHttp(Uri address, string user, string password, string database)
    {
        _http = new HttpClient { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));
        _http.DefaultRequestHeaders.Add("X-ClickHouse-Database", database);
    }

    /// <summary>Runs a query and hands over its response while it arrives.</summary>
    /// <exception cref="CommandFailure">The server cannot be reached or refused the query.</exception>
    public async Task<Stream> OpenAsync(
        string query, string format, IEnumerable<KeyValuePair<string, string>> parameters, CancellationToken stop,
        IEnumerable<KeyValuePair<string, string>>? settings = null)
    {
        var url = new StringBuilder("/?default_format=").Append(Uri.EscapeDataString(format));
        foreach (var (name, value) in parameters)
        {
            url.Append("&param_").Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
        }
        // Beside the query: who may only read may not change them inside it.
        foreach (var (name, value) in settings ?? [])
        {
            url.Append('&').Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
        }
        using var request = new HttpRequestMessage(HttpMethod.Post, url.ToString()) { Content = new StringContent(query) };
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        }
        catch (HttpRequestException)
        {
            throw new CommandFailure($"no ClickHouse answers at {_http.BaseAddress}; start it with: streams up");
        }
        if (response.StatusCode != HttpStatusCode.OK)
        {
            var text = await response.Content.ReadAsStringAsync(stop);
            throw new CommandFailure(Trim(text));
        }
        return await response.Content.ReadAsStreamAsync(stop);
    }

    /// <summary>Rows of a small result, as strings (TabSeparated, unescaped fields without tabs or new lines).</summary>
    public async Task<List<string[]>> RowsAsync(string query, CancellationToken stop)
    {
        await using var stream = await OpenAsync(query, "TabSeparated", [], stop);
        using var reader = new StreamReader(stream);
        var rows = new List<string[]>();
        while (await reader.ReadLineAsync(stop) is { } line)
        {
            rows.Add(line.Split('\t'));
        }
        return rows;
    }

    public void Dispose() => _http.Dispose();

    /// <summary>ClickHouse's own sentence, without the version and the list of what it expected, which fills a screen.</summary>
    private static string Trim(string text)
    {
        var trimmed = Version().Replace(text.Trim(), string.Empty);
        var expected = trimmed.IndexOf(": . Expected one of", StringComparison.Ordinal);
        expected = expected < 0 ? trimmed.IndexOf(" Expected one of", StringComparison.Ordinal) : expected;
        return expected < 0 ? trimmed : trimmed[..expected];
    }

    [GeneratedRegex(@"\s*\(version [^)]*\)+")]
    private static partial Regex Version();
}
