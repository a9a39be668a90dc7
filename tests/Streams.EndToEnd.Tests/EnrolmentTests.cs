using System.Diagnostics;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>A host becomes an agent by a token, brings rows, and is revoked: with the commands that an operator and a host have.</summary>
public sealed class EnrolmentTests
{
    private const string Agent = "agent-native/Streams.Agent/bin/Release/net10.0/streams-agent.dll";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_token_lets_a_host_in_and_a_revocation_ends_it()
    {
        using var directory = new TempDirectory("enrolment");
        await using var up = await Up.StartAsync(directory.File("data"), "--no-agent");
        var token = (await HostAsync(up, "enroll", "create", "--agent", "web-1", "--ttl", "10m")).Output.Trim();
        string[] settings =
        [
            "--gateway", up.Endpoints.Gateway, "--state-directory", directory.File("state"), "--key-file", directory.File("agent.key"),
            "--observability-enabled", "false", "--telemetry-interval-seconds", "1",
        ];
        var enrolled = await AgentAsync(["enroll", "--token", token, .. settings]);
        Assert.Equal("web-1: enrolled\n", enrolled.Output);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(directory.File("agent.key")));
        Assert.Equal("web-1: enrolled already\n", (await AgentAsync(["enroll", "--token", token, .. settings])).Output);
        Assert.DoesNotContain(token.Split('.')[1], (await HostAsync(up, "enroll", "list", "--json")).Output, StringComparison.Ordinal);

        using var agent = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(Repository.Root, Agent), "run", .. settings]))!;
        try
        {
            await RowsAsync(up, "the agent's rows arrive", 0);

            // The key changes under the running agent.
            Assert.Equal(0, (await AgentAsync(["rotate-key", .. settings])).Code);
            await IdentityAsync(up, "enrolled rotated rotated");
            Assert.False(File.Exists(directory.File("agent.key.next")));

            await HostAsync(up, "agents", "revoke", "web-1");
            await Eventually.TrueAsync(() => up.Log("streams-serve").Contains(" of web-1 ended: revoked", StringComparison.Ordinal), "the session has ended", Patience);
            await IdentityAsync(up, "enrolled rotated rotated revoked");
            Assert.Contains("\"state\": \"revoked\"", (await HostAsync(up, "agents", "--json")).Output, StringComparison.Ordinal);
        }
        finally
        {
            Up.Signal("TERM", agent.Id);
            await agent.WaitForExitAsync().WaitAsync(Patience);
        }

        // The operator lets it in again, by a token that says so.
        Assert.NotEqual(0, (await AgentAsync(["enroll", "--token", await TokenAsync(up), .. settings])).Code);
        Assert.Equal("web-1: enrolled\n", (await AgentAsync(["enroll", "--token", await TokenAsync(up, "--replace"), .. settings])).Output);
        await IdentityAsync(up, "enrolled rotated rotated revoked enrolled");
    }

    private static async Task<string> TokenAsync(Up up, params string[] options) =>
        (await HostAsync(up, ["enroll", "create", "--agent", "web-1", .. options])).Output.Trim();

    private static async Task RowsAsync(Up up, string what, int above) => await Eventually.TrueAsync(
        async () => int.TryParse(await up.TryQueryAsync("SELECT count() FROM host_metric WHERE agent_id = 'web-1'"), out var rows) && rows > above, what, Patience);

    private static Task IdentityAsync(Up up, string actions) => Eventually.ValueAsync(
        () => up.TryQueryAsync("SELECT arrayStringConcat(groupArray(action), ' ') FROM (SELECT action FROM agent_identity WHERE agent = 'web-1' ORDER BY serial)"),
        found => found == actions,
        $"rows of agent_identity: {actions}",
        Patience);

    private static async Task<Result> HostAsync(Up up, params string[] arguments)
    {
        var result = await Run.HostAsync([.. arguments, "--data", up.Data]);
        Assert.True(result.Code == 0, result.ToString());
        return result;
    }

    private static Task<Result> AgentAsync(string[] arguments) => Run.DotnetAsync(Agent, arguments, Patience);
}
