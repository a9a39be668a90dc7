using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Streams.Services.Http;

namespace Streams.Host.Terminal;

/// <summary>The operator's HTTP, for the operator's commands.</summary>
internal sealed class OperatorClient : IDisposable
{
    private readonly HttpClient _http;

    public OperatorClient(Uri address, string token)
    {
        _http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken stop)
        where T : class => SendAsync(HttpMethod.Get, path, null, type, stop);

    public Task<TAnswer> PostAsync<TBody, TAnswer>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> type, CancellationToken stop)
        where TAnswer : class
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, bodyType));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return SendAsync(HttpMethod.Post, path, content, type, stop);
    }

    public async Task DeleteAsync(string path, CancellationToken stop)
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Delete, path), stop);
    }

    public void Dispose() => _http.Dispose();

    private async Task<T> SendAsync<T>(HttpMethod method, string path, HttpContent? content, JsonTypeInfo<T> type, CancellationToken stop)
        where T : class
    {
        using var response = await SendAsync(new HttpRequestMessage(method, path) { Content = content }, stop);
        await using var body = await response.Content.ReadAsStreamAsync(stop);
        return await JsonSerializer.DeserializeAsync(body, type, stop) ?? throw new CommandFailure($"{path}: an empty answer");
    }

    /// <exception cref="CommandFailure">Nobody is there, or the answer is an error, whose sentence it is.</exception>
    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken stop)
    {
        using var sent = request;
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, stop);
        }
        catch (HttpRequestException)
        {
            throw new CommandFailure($"no operator HTTP answers at {_http.BaseAddress}; start it with: streams up");
        }
        if (response.IsSuccessStatusCode)
        {
            return response;
        }
        using var failed = response;
        var text = await response.Content.ReadAsStringAsync(stop);
        try
        {
            throw new CommandFailure(JsonSerializer.Deserialize(text, ApiJson.Default.ErrorAnswer)?.Message ?? $"operator HTTP answers {(int)response.StatusCode}");
        }
        catch (JsonException)
        {
            throw new CommandFailure($"operator HTTP answers {(int)response.StatusCode}");
        }
    }
}
