using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Control.Operators;
using Streams.Queue;
using Streams.Services.Actions;
using Streams.Services.Audit;
using Streams.Services.Http;
using Streams.Services.Operators;
using Streams.Services.Tests.Registry;
using Streams.Testing;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Services.Tests.Http;

/// <summary>Rows of <c>audit</c> in a real ClickHouse, of operators who hang up and of a queue that goes away under them.</summary>
[Collection(RegistryCollection.Name)]
public sealed class AuditTests(RegistryStack stack) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly string[] Fleet = [.. Enumerable.Range(1, 256).Select(number => $"audit-{number}")];

    private readonly SigningKey _root = SigningKey.Generate();
    private readonly SemaphoreSlim _begun = new(0);
    private readonly string _name = "alice-" + Guid.NewGuid().ToString("N");
    private CommandIssuer _issuer = null!;
    private ActionsService _actions = null!;
    private OperatorTokens _tokens = null!;
    private AgentDirectory _agents = null!;
    private OperatorApi _api = null!;
    private WebApplication _web = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        // Another test may have taken the queue away a moment ago.
        await Eventually.TrueAsync(PutFleetAsync, "the agents are known", Patience);
        var key = SigningKey.Generate();
        var now = DateTimeOffset.UtcNow;
        _issuer = new CommandIssuer(key, FleetCertificate.Create(
            _root, CertificateUse.Service, "audit", key.PublicKey, now.AddHours(-1).ToUnixTimeSeconds(), now.AddHours(1).ToUnixTimeSeconds(), 1));
        _actions = await ActionsService.StartAsync(stack.Services, _issuer, stack.Rows);
        _tokens = await OperatorTokens.OpenAsync(stack.Services, NullLogger<OperatorTokens>.Instance);
        _agents = await AgentDirectory.OpenAsync(stack.Services);
        var (token, _) = await _tokens.CreateAsync(_name, OperatorRole.Admin, TimeSpan.FromHours(1));
        await Eventually.TrueAsync(() => _tokens.Check(token.Reveal(), out _) == TokenVerdict.Valid, "the token is good");
        _api = new OperatorApi(new OperatorGate(_tokens, new AuditLog(stack.Rows, NullLogger<AuditLog>.Instance)), _actions, _tokens, _agents);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _web = builder.Build();
        _web.Use((context, next) =>
        {
            _begun.Release();
            return next(context);
        });
        OperatorApi.Map(_web, () => _api);
        await _web.StartAsync();
        _http = new HttpClient { BaseAddress = new Uri(_web.Urls.First()) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Reveal());
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _web.DisposeAsync();
        await _agents.DisposeAsync();
        await _tokens.DisposeAsync();
        await _actions.DisposeAsync();
        _issuer.Dispose();
        _root.Dispose();
        _begun.Dispose();
    }

    [Fact]
    public async Task An_order_whose_operator_hung_up_is_carried_out_and_told()
    {
        using var line = new CancellationTokenSource();
        var known = CommandAsync();
        var order = OrderAsync(line.Token);
        var command = await known;
        stack.Nats.Pause();
        try
        {
            await HangUpAsync(order, line);
        }
        finally
        {
            // The server is the whole collection's.
            stack.Nats.Resume();
        }

        await RowsAsync($"SELECT concat(object, ' ', outcome) FROM audit WHERE actor = '{_name}'", $"{command} ok");
        Assert.Equal(Fleet.Length, (await _actions.FindAsync(Actions.ActionsStack.Id(command)))!.Agents.Count);
    }

    [Fact]
    public async Task A_revocation_whose_operator_hung_up_is_carried_out_and_told_and_a_stop_waits_for_it()
    {
        var (token, _) = await _tokens.CreateAsync("bob", OperatorRole.Viewer, TimeSpan.FromHours(1));
        using var line = new CancellationTokenSource();
        stack.Nats.Pause();
        Task drained;
        try
        {
            var revocation = _http.DeleteAsync($"/api/v1/tokens/{token.Id}", line.Token);
            Assert.True(await _begun.WaitAsync(Patience));
            await HangUpAsync(revocation, line);
            drained = _api.DrainAsync(Patience);
            Assert.False(drained.IsCompleted);
        }
        finally
        {
            stack.Nats.Resume();
        }

        await drained;
        Assert.True((await (await OperatorStore.OpenAsync(stack.Services)).GetAsync(token.Id))!.Value.Value.Revoked);
        await RowsAsync($"SELECT concat(action, ' ', object, ' ', outcome) FROM audit WHERE actor = '{_name}'", $"token.revoke {token.Id} ok");
    }

    [Fact]
    public async Task What_the_queue_fails_is_told_with_the_reason()
    {
        var known = CommandAsync();
        var order = OrderAsync(CancellationToken.None);
        var command = await known;
        await stack.Nats.KillAsync();
        var create = _http.PostAsync("/api/v1/tokens", Json("""{"name":"bob","role":"viewer"}"""));
        var revoke = _http.DeleteAsync("/api/v1/tokens/0123456789abcdef");
        foreach (var response in await Task.WhenAll(order, create, revoke))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            response.Dispose();
        }

        await stack.Nats.RestartAsync();
        await RowsAsync(
            $"SELECT arrayStringConcat(groupArray(told), ', ') FROM (SELECT concat(action, ' ', outcome) told FROM audit WHERE actor = '{_name}' ORDER BY told)",
            "command.create failed, token.create failed, token.revoke failed");
        // Which agents have it is asked by its id.
        await RowsAsync($"SELECT count() FROM audit WHERE actor = '{_name}' AND position(detail, '{command}') > 0", "1");
    }

    private Task<HttpResponseMessage> OrderAsync(CancellationToken line) => _http.PostAsync(
        "/api/v1/commands", Json(JsonSerializer.Serialize(new { kind = "status", agents = Fleet })), line);

    private static async Task HangUpAsync(Task<HttpResponseMessage> request, CancellationTokenSource line)
    {
        await line.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        // For the server to see it.
        await Task.Delay(300);
    }

    /// <summary>The id of the order, as soon as an agent has it: it is under way then.</summary>
    private async Task<string> CommandAsync()
    {
        var store = await CommandStore.OpenAsync(stack.Services);
        using var late = new CancellationTokenSource(Patience);
        await foreach (var change in store.WatchAsync(cancel: late.Token))
        {
            if (change.Value is { } record && record.Actor == _name)
            {
                return CommandStore.Parse(change.Key).CommandId;
            }
        }

        throw new InvalidOperationException("the watch ended");
    }

    private async Task<bool> PutFleetAsync()
    {
        try
        {
            foreach (var agent in Fleet)
            {
                await stack.Identities.ChangeAsync(agent, last => last is null ? new IdentityRecord("key", "host", DateTimeOffset.UtcNow) : null);
            }

            return true;
        }
        catch (QueueException)
        {
            return false;
        }
    }

    private Task<string> RowsAsync(string sql, string expected) =>
        Eventually.ValueAsync(() => stack.QueryAsync(sql), rows => rows == expected, $"{expected} of: {sql}", Patience);

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
