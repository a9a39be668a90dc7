using System.Diagnostics;
using System.Text.Json;
using Streams.Local;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>The operator's commands against a running instance without an agent.</summary>
public sealed class InstanceTests : IAsyncLifetime
{
    private readonly TempDirectory _directory = new("instance");
    private Process? _up;

    private string Data => _directory.File("data");

    public async Task InitializeAsync()
    {
        _up = Process.Start(new ProcessStartInfo("dotnet",
            [Path.Combine(Repository.Root, Run.Host), "up", "--data", Data, "--no-agent", "--plain"])
        {
            RedirectStandardOutput = true,
        })!;
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(Data, "run", "endpoints.json")), "up is ready", TimeSpan.FromSeconds(60));
    }

    public async Task DisposeAsync()
    {
        // As Ctrl-C: everything that it started must be gone afterwards.
        var children = Directory.Exists(Data) && File.Exists(Path.Combine(Data, "run", "endpoints.json"))
            ? Endpoints.Read(Data).Children.Values.ToArray() : [];
        using (Process.Start("kill", ["-TERM", $"{_up!.Id}"]))
        {
            await _up.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }
        Assert.Equal(0, _up.ExitCode);
        Assert.All(children, child => Assert.False(Directory.Exists($"/proc/{child}"), $"process {child} is still there"));
        _up.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Commands_answer_and_refuse_in_one_line()
    {
        var json = await Run.HostAsync("sql", "SELECT 42 AS answer", "--data", Data, "--format", "json");
        using (var document = JsonDocument.Parse(json.Output))
        {
            Assert.Equal(42, document.RootElement.GetProperty("data")[0].GetProperty("answer").GetInt32());
        }
        Assert.Equal("\"a\"\n7\n",
            (await Run.HostAsync("sql", "SELECT {x:UInt8} AS a", "--param", "x=7", "--data", Data, "--format", "csv")).Output);

        var malformed = await Run.HostAsync("sql", "SELECT 1 +", "--data", Data);
        Assert.Equal(1, malformed.Code);
        Assert.Contains("Syntax error", malformed.ErrorLine);

        var unknown = await Run.HostAsync("tail", "no_such_class", "--data", Data);
        Assert.Equal(2, unknown.Code);
        Assert.Contains("there is no event class no_such_class; there are: agent_identity, agent_session", unknown.ErrorLine);

        var loss = await Run.HostAsync("loss", "--data", Data, "--json", "--check");
        Assert.Equal(0, loss.Code);
        using (var document = JsonDocument.Parse(loss.Output))
        {
            Assert.Equal(JsonValueKind.Array, document.RootElement.GetProperty("losses").ValueKind);
            Assert.Equal(JsonValueKind.Array, document.RootElement.GetProperty("ledger").ValueKind);
        }
        Assert.Contains("--since 0: expected 1 to 9600", (await Run.HostAsync("loss", "--since", "0", "--data", Data)).ErrorLine);
        Assert.Contains("agent a'b: expected at most 64 letters", (await Run.HostAsync("loss", "a'b", "--data", Data)).ErrorLine);

        var second = await Run.HostAsync("up", "--data", Data);
        Assert.Equal(1, second.Code);
        Assert.Contains($"in use by process {_up!.Id}", second.ErrorLine);

        var key = _directory.File("web-1.key");
        var created = await Run.HostAsync("keys", "create-agent", "web-1", "--key-file", key, "--data", Data);
        Assert.True(created.Code == 0, created.ToString());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        Assert.Contains("the file exists",
            (await Run.HostAsync("keys", "create-agent", "web-1", "--key-file", key, "--data", Data)).ErrorLine);

        var agents = await Run.HostAsync("agents", "--json", "--data", Data);
        using (var document = JsonDocument.Parse(agents.Output))
        {
            Assert.Equal("web-1", Assert.Single(document.RootElement.EnumerateArray()).GetProperty("agent_id").GetString());
        }

        using var http = new HttpClient { BaseAddress = new Uri(Endpoints.Read(Data).Operator) };
        Assert.Contains("\"status\":\"ok\"", await http.GetStringAsync("healthz"));
        Assert.Contains("streams_gateway_sessions", await http.GetStringAsync("metrics"));
    }
}
