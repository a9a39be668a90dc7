using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Streams.Local;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>`streams command status` and operator tokens against `streams up`, with the real agent.</summary>
public sealed class CommandTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TempDirectory _directory = new("command");
    private readonly string _agent = $"command-{Environment.ProcessId}";

    public CommandTests() =>
        File.SetUnixFileMode(_directory.Path, File.GetUnixFileMode(_directory.Path) | UnixFileMode.OtherExecute);

    public void Dispose() => _directory.Dispose();

    [RootFact(agent: true)]
    public async Task An_agent_answers_a_command_at_once_and_one_that_was_away_when_it_is_back_or_never_after_the_deadline()
    {
        await using var up = await Up.StartAsync(_directory.File("data"), "--agent-id", _agent);
        var answered = await Run.HostAsync("command", "status", _agent, "--wait", "--json", "--data", up.Data);
        Assert.True(answered.Code == 0, answered.ToString());
        using var answer = JsonDocument.Parse(answered.Output);
        var result = answer.RootElement.GetProperty("agents")[0].GetProperty("result");
        Assert.Equal(_agent, result.GetProperty("agent_id").GetString());
        Assert.Equal(up.Endpoints.Children["streams-agent"], result.GetProperty("pid").GetInt32());
        var id = answer.RootElement.GetProperty("id").GetString()!;

        // Each step is a row, and so is who gave it.
        await RowsAsync(up, $"SELECT arrayStringConcat(groupArray(state), ' ') FROM (SELECT state FROM command WHERE command_id = '{id}' ORDER BY seq)",
            "queued sent received started finished");
        await RowsAsync(up, $"SELECT concat(actor, ' ', role, ' ', outcome) FROM audit WHERE action = 'command.create' AND object = '{id}'", "local admin ok");

        // Away: it waits, and one whose deadline passes meanwhile is never run.
        Up.Signal("STOP", up.Endpoints.Children["streams-agent"]);
        var waiting = await OrderAsync(up, 300);
        var late = await OrderAsync(up, 1);
        await Eventually.TrueAsync(async () => await StateAsync(up, late) == "expired", "it expires while the agent is away", Patience);
        Assert.NotEqual("finished", await StateAsync(up, waiting));
        // Killed, so that what its socket may hold is gone with it.
        await up.KillAsync("streams-agent");
        await Eventually.TrueAsync(async () => await StateAsync(up, waiting) == "finished", "the agent is back and answers", Patience);
        Assert.Equal("expired", await StateAsync(up, late));

        // The gateway is restarted: what waits is in the queue.
        Up.Signal("STOP", up.Endpoints.Children["streams-agent"]);
        var kept = await OrderAsync(up, 300);
        await up.KillAsync("streams-serve");
        await up.KillAsync("streams-agent");
        await Eventually.TrueAsync(async () => await StateAsync(up, kept) == "finished", "the answer after the restart of the gateway", Patience);
        Assert.Equal(0, await up.StopAsync());
    }

    [Fact]
    public async Task Tokens_open_what_their_role_may_and_metrics_and_health_are_open_here()
    {
        await using var up = await Up.StartAsync(_directory.File("data"), "--no-agent");
        var file = Path.Combine(up.Data, "keys", "admin.token");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        var viewer = (await Run.HostAsync("token", "create", "bob", "--role", "viewer", "--data", up.Data)).Output.Trim();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(up, HttpMethod.Get, "api/v1/agents", viewer));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(up, HttpMethod.Post, "api/v1/commands", viewer));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(up, HttpMethod.Get, "api/v1/agents", null));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(up, HttpMethod.Get, "healthz", null));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(up, HttpMethod.Get, "metrics", null));
        var listed = await Run.HostAsync("token", "list", "--json", "--data", up.Data);
        Assert.DoesNotContain(viewer.Split('.')[2], listed.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await Run.HostAsync("token", "revoke", viewer.Split('.')[1], "--data", up.Data)).Code);
        await Eventually.TrueAsync(
            async () => await StatusAsync(up, HttpMethod.Get, "api/v1/agents", viewer) == HttpStatusCode.Unauthorized, "it is revoked", TimeSpan.FromSeconds(1));
        var unknown = await Run.HostAsync("command", "status", "nobody", "--data", up.Data);
        Assert.Equal((1, "streams: agents: nobody is not known"), (unknown.Code, unknown.ErrorLine));

        // The queue is wiped: the file's token is good again, the revoked one is not.
        up.LoseQueue(_directory.File("lost"));
        await Eventually.TrueAsync(
            async () => await StatusAsync(up, HttpMethod.Get, "api/v1/agents", (await File.ReadAllTextAsync(file)).Trim()) == HttpStatusCode.OK
                && up.Status("nats-server").State == ChildState.Running,
            "the admin's token is known again", Patience);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(up, HttpMethod.Get, "api/v1/agents", viewer));
        Assert.Equal(0, await up.StopAsync());
    }

    private async Task<string> OrderAsync(Up up, int seconds)
    {
        var ordered = await Run.HostAsync("command", "status", _agent, "--json", "--deadline-seconds", $"{seconds}", "--data", up.Data);
        Assert.True(ordered.Code == 0, ordered.ToString());
        return JsonDocument.Parse(ordered.Output).RootElement.GetProperty("id").GetString()!;
    }

    private static async Task<string> StateAsync(Up up, string id)
    {
        using var answer = await SendAsync(up, HttpMethod.Get, $"api/v1/commands/{id}", (await File.ReadAllTextAsync(Path.Combine(up.Data, "keys", "admin.token"))).Trim());
        return answer is { IsSuccessStatusCode: true }
            ? JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("agents")[0].GetProperty("state").GetString()! : "";
    }

    private static async Task<HttpStatusCode> StatusAsync(Up up, HttpMethod method, string path, string? token)
    {
        using var answer = await SendAsync(up, method, path, token);
        return answer?.StatusCode ?? 0;
    }

    /// <summary>Null while nobody answers.</summary>
    private static async Task<HttpResponseMessage?> SendAsync(Up up, HttpMethod method, string path, string? token)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        using var request = new HttpRequestMessage(method, new Uri(new Uri(up.Endpoints.Operator), path));
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
        if (method == HttpMethod.Post)
        {
            request.Content = new StringContent("{\"kind\":\"status\",\"agents\":[\"a\"]}", Encoding.UTF8, "application/json");
        }
        try
        {
            return await http.SendAsync(request);
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    private static Task RowsAsync(Up up, string query, string expected) =>
        Eventually.TrueAsync(async () => await up.TryQueryAsync(query) == expected, $"{query}: {expected}", Patience);
}
