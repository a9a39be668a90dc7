using System.Diagnostics;
using System.Text.Json;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>
/// An agent in another language, written from PROTOCOL.md alone (tests/python-agent), against `streams up`, in both encodings: it enrols, brings 10,000 events
/// each once although it is killed on the way, balances its ledger and answers a command.
/// </summary>
public sealed class PythonAgentTests : IDisposable
{
    private const int Events = 10_000;
    private const string Python = "/usr/bin/python3";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly string Program = Path.Combine(Repository.Root, "tests", "python-agent", "streams_agent.py");

    private readonly TempDirectory _directory = new("python");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("bin")]
    [InlineData("json")]
    public async Task Enrols_brings_each_event_once_and_answers_a_command(string encoding)
    {
        await using var up = await Up.StartAsync(_directory.File("data"), "--no-agent");
        string[] own = ["--gateway", up.Endpoints.Gateway, "--directory", _directory.File("agent"), "--encoding", encoding];
        var token = (await HostAsync(up, "enroll", "create", "--agent", "stranger")).Output.Trim();
        using (var enrolment = Start(["enroll", .. own, "--token", token]))
        {
            Assert.Equal("stranger", (await ResultAsync(enrolment)).GetProperty("agent").GetString());
        }

        using (var killed = Start(["run", .. own, "--events", $"{Events}", "--rate", "3000", "--json"]))
        {
            await Eventually.TrueAsync(async () => await RowsAsync(up) > 1000, "rows of the first process", Patience);
            killed.Kill();
            await killed.WaitForExitAsync().WaitAsync(Patience);
        }

        using var agent = Start(["run", .. own, "--events", $"{Events}", "--until-command", "--json"]);
        var answer = await HostAsync(up, "command", "status", "stranger", "--wait", "--json");
        using (var document = JsonDocument.Parse(answer.Output))
        {
            var end = document.RootElement.GetProperty("agents")[0];
            Assert.Equal(("finished", "python 1"), (end.GetProperty("state").GetString(), end.GetProperty("result").GetProperty("agent_version").GetString()));
        }

        var result = await ResultAsync(agent);
        Assert.Equal((Events, 1), (result.GetProperty("committed").GetInt32(), result.GetProperty("commands").GetInt32()));
        Assert.Equal($"{Events}\t{Events}\t1\t{Events}", await up.TryQueryAsync(
            "SELECT count(), uniqExact(inode), min(inode), max(inode) FROM process_exec WHERE agent_id = 'stranger'"));
        Assert.Equal("0", await up.TryQueryAsync("SELECT count() FROM dead_letter"));
        await Eventually.TrueAsync(
            async () => (await Run.HostAsync("loss", "stranger", "--check", "--data", up.Data)).Code == 0, "the ledger balances, the killed process's too", Patience);
        await HostAsync(up, "verify", "stranger");
        Assert.Equal(encoding, await up.TryQueryAsync("SELECT any(encoding) FROM agent_session WHERE agent = 'stranger' AND event = 'begin'"));
        Assert.Equal(0, await up.StopAsync());
    }

    private static async Task<int> RowsAsync(Up up) =>
        int.TryParse(await up.TryQueryAsync("SELECT count() FROM process_exec WHERE agent_id = 'stranger'"), out var rows) ? rows : 0;

    private static Process Start(string[] arguments) =>
        Process.Start(new ProcessStartInfo(Python, ["-B", Program, .. arguments]) { RedirectStandardOutput = true })!;

    private static async Task<JsonElement> ResultAsync(Process agent)
    {
        var output = await agent.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await agent.WaitForExitAsync().WaitAsync(Patience);
        Assert.True(agent.ExitCode == 0, $"exit {agent.ExitCode}: {output}");
        return JsonSerializer.Deserialize<JsonElement>(output);
    }

    private static async Task<Result> HostAsync(Up up, params string[] arguments)
    {
        var result = await Run.HostAsync([.. arguments, "--data", up.Data]);
        Assert.True(result.Code == 0, result.ToString());
        return result;
    }
}
