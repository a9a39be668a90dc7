using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Control.Operators;
using Streams.Services.Audit;
using Streams.Services.Http;
using Streams.Services.Operators;
using Streams.Services.Tests.Actions;
using Streams.Testing;

namespace Streams.Services.Tests.Http;

/// <summary>The operator's HTTP over a real socket, a real queue behind it.</summary>
public sealed class OperatorApiTests : IAsyncLifetime
{
    private readonly Clock _clock = new();
    private ActionsStack _stack = null!;
    private OperatorTokens _tokens = null!;
    private AgentDirectory _agents = null!;
    private WebApplication _web = null!;
    private HttpClient _http = null!;
    private OperatorToken _admin = null!;

    public async Task InitializeAsync()
    {
        _stack = await ActionsStack.StartAsync("agent-1");
        _tokens = await OperatorTokens.OpenAsync(_stack.Services, NullLogger<OperatorTokens>.Instance, _clock);
        _agents = await AgentDirectory.OpenAsync(_stack.Services);
        _admin = OperatorToken.NewRandom();
        _tokens.Keep(_admin);
        await Eventually.TrueAsync(() => _tokens.Check(_admin.Reveal(), out _) == TokenVerdict.Valid, "the kept token is good");
        var api = new OperatorApi(
            new OperatorGate(_tokens, new AuditLog(_stack.Rows, NullLogger<AuditLog>.Instance)), _stack.Actions, _tokens, _agents);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _web = builder.Build();
        OperatorApi.Map(_web, () => api);
        await _web.StartAsync();
        _http = new HttpClient { BaseAddress = new Uri(_web.Urls.First()) };
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _web.DisposeAsync();
        await _agents.DisposeAsync();
        await _tokens.DisposeAsync();
        await _stack.DisposeAsync();
    }

    [Fact]
    public async Task A_command_is_taken_and_shown()
    {
        var (status, answer) = await SendAsync(HttpMethod.Post, "/api/v1/commands", _admin.Reveal(), """{"kind":"status","agents":["agent-1"]}""");
        Assert.Equal(HttpStatusCode.Accepted, status);
        var id = answer.GetProperty("id").GetString();
        (status, answer) = await SendAsync(HttpMethod.Get, $"/api/v1/commands/{id}", _admin.Reveal());
        Assert.Equal((HttpStatusCode.OK, "queued", "local"),
            (status, answer.GetProperty("agents")[0].GetProperty("state").GetString(), answer.GetProperty("actor").GetString()));
        (status, answer) = await SendAsync(HttpMethod.Get, "/api/v1/agents", _admin.Reveal());
        Assert.Equal((HttpStatusCode.OK, "agent-1", 1),
            (status, answer.GetProperty("agents")[0].GetProperty("agent").GetString(), answer.GetProperty("agents")[0].GetProperty("commands_waiting").GetInt32()));
    }

    [Theory]
    [InlineData("viewer", "GET", "/api/v1/agents", HttpStatusCode.OK)]
    [InlineData("viewer", "POST", "/api/v1/commands", HttpStatusCode.Forbidden)]
    [InlineData("viewer", "POST", "/api/v1/tokens", HttpStatusCode.Forbidden)]
    [InlineData("operator", "POST", "/api/v1/commands", HttpStatusCode.Accepted)]
    [InlineData("operator", "GET", "/api/v1/tokens", HttpStatusCode.Forbidden)]
    [InlineData("operator", "DELETE", "/api/v1/tokens/0000000000000000", HttpStatusCode.Forbidden)]
    [InlineData("admin", "GET", "/api/v1/tokens", HttpStatusCode.OK)]
    public async Task Each_role_may_do_its_own(string role, string method, string path, HttpStatusCode expected)
    {
        var token = await CreateAsync(role);
        Assert.Equal(expected, (await SendAsync(new HttpMethod(method), path, token, method == "POST" ? """{"kind":"status","agents":["agent-1"]}""" : null)).Status);
    }

    [Fact]
    public async Task A_token_that_is_missing_wrong_expired_or_revoked_is_401_and_told_apart_by_nobody()
    {
        var token = await CreateAsync("admin", 60);
        var (_, first) = await SendAsync(HttpMethod.Get, "/api/v1/agents", null);
        var other = OperatorToken.NewRandom().Reveal();
        string[] bad = [other, "x", token[..30] + other[30..], token + "x"];
        foreach (var wrong in bad)
        {
            var (status, answer) = await SendAsync(HttpMethod.Get, "/api/v1/agents", wrong);
            Assert.Equal(HttpStatusCode.Unauthorized, status);
            Assert.Equal(first.GetRawText(), answer.GetRawText());
        }

        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Get, "/api/v1/agents", token)).Status);
        _clock.Ahead = TimeSpan.FromSeconds(61);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(HttpMethod.Get, "/api/v1/agents", token)).Status);
        _clock.Ahead = TimeSpan.Zero;
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Get, "/api/v1/agents", token)).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, $"/api/v1/tokens/{token.Split('.')[1]}", _admin.Reveal())).Status);
        await Eventually.TrueAsync(
            async () => (await SendAsync(HttpMethod.Get, "/api/v1/agents", token)).Status == HttpStatusCode.Unauthorized, "it is revoked", TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData("""{"kind":"status"}""", "body", "missing")]
    [InlineData("""{"kind":"status","agents":["agent-1"],"more":1}""", "more", "no such field")]
    [InlineData("""{"kind":"status","agents":["agent-1"],"deadline_seconds":0}""", "deadline_seconds", "1 to")]
    [InlineData("""{"kind":"status","agents":["agent-1"],"deadline_seconds":"x"}""", "deadline_seconds", "not the JSON")]
    [InlineData("""{"kind":"status","agents":[]}""", "agents", "1 to 256")]
    [InlineData("""{"kind":"kill","agents":["agent-1"]}""", "kind", "operator")]
    [InlineData("""{"kind":"status","agents":["agent-1"],"arguments":{"A":"1"}}""", "arguments", "[a-z0-9_]")]
    [InlineData("""{"kind":"status","agents":[null]}""", "agents", "each matches")]
    [InlineData("""{"kind":"status","agents":["agent-1"],"arguments":{"a":null}}""", "arguments", "values are texts")]
    [InlineData("""{"kind":"status","agents":["\ud800"]}""", "agents[0]", "not the JSON")]
    [InlineData("[]", "body", "not the JSON")]
    [InlineData("", "body", "not the JSON")]
    public async Task What_is_wrong_with_a_body_is_named(string body, string field, string words)
    {
        var (status, answer) = await SendAsync(HttpMethod.Post, "/api/v1/commands", _admin.Reveal(), body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(field, answer.GetProperty("field").GetString());
        Assert.Contains(words, answer.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_above_the_bound_and_an_id_that_is_none_are_refused()
    {
        var (status, answer) = await SendAsync(HttpMethod.Post, "/api/v1/commands", _admin.Reveal(), new string(' ', OperatorGate.MaxBodyBytes + 1));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "too_large"), (status, answer.GetProperty("code").GetString()));
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, "/api/v1/commands/none", _admin.Reveal())).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Delete, "/api/v1/tokens/none", _admin.Reveal())).Status);
    }

    [Fact]
    public async Task A_tokens_secret_is_shown_once_and_stored_nowhere()
    {
        var secret = (await CreateAsync("viewer")).Split('.')[2];
        var (_, list) = await SendAsync(HttpMethod.Get, "/api/v1/tokens", _admin.Reveal());
        Assert.Equal(2, list.GetProperty("tokens").GetArrayLength());
        Assert.DoesNotContain(secret, list.GetRawText() + string.Concat(_tokens.List().Select(entry => entry.Value.ToString())), StringComparison.Ordinal);
    }

    private async Task<string> CreateAsync(string role, int seconds = 3600)
    {
        var (status, answer) = await SendAsync(
            HttpMethod.Post, "/api/v1/tokens", _admin.Reveal(), $$"""{"name":"bob","role":"{{role}}","expires_in_seconds":{{seconds}}}""");
        Assert.Equal(HttpStatusCode.Created, status);
        var token = answer.GetProperty("token").GetString()!;
        await Eventually.TrueAsync(() => _tokens.Check(token, out _) == TokenVerdict.Valid, "the watch has it");
        return token;
    }

    private async Task<(HttpStatusCode Status, JsonElement Answer)> SendAsync(HttpMethod method, string path, string? token, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
    }
}
