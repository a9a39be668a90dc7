using System.Net.Http.Headers;
using System.Text;
using Streams.Local;

namespace Streams.Bench.Running;

/// <summary>Posts a prepared `Native` block as it is: no driver, no compression, nothing of ours in between.</summary>
internal sealed class NativePost : IDisposable
{
    private readonly HttpClient _http;

    public NativePost(Endpoints endpoints)
    {
        _http = new HttpClient { BaseAddress = new Uri(endpoints.ClickHouse), Timeout = TimeSpan.FromMinutes(2) };
        var password = File.ReadAllText(endpoints.ClickHousePasswordFile).Trim();
        _http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{endpoints.ClickHouseUser}:{password}")));
        _http.DefaultRequestHeaders.Add("X-ClickHouse-Database", "streams");
    }

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
