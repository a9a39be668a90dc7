using System.Text.Json;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>`up` lets its own machine's agent in at every start, and undoes nothing by that.</summary>
public sealed class OwnAgentTests
{
    [RootFact]
    public async Task Up_undoes_neither_another_key_nor_a_revocation_of_its_own_agent()
    {
        using var directory = new TempDirectory("own-agent");
        var program = directory.File("agent.sh");
        await File.WriteAllTextAsync(program, "#!/bin/sh\nexec sleep infinity\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using var up = await Up.StartWithAgentAsync(directory.File("data"), program, "--agent-id", "self-1");
        Assert.Equal((Environment.MachineName, "active"), await StateAsync(up));

        string[] create = ["keys", "create-agent", "self-1", "--key-file", directory.File("other.key"), "--host", "elsewhere", "--data", up.Data];
        var refused = await Run.HostAsync(create);
        Assert.Equal("streams: agent self-1 is known and active; --replace gives it another key", refused.ErrorLine);
        Assert.False(File.Exists(directory.File("other.key")));
        Assert.Equal(0, (await Run.HostAsync([.. create, "--replace"])).Code);
        Assert.Equal(0, (await Run.HostAsync("agents", "revoke", "self-1", "--data", up.Data)).Code);
        Assert.Equal(("elsewhere", "revoked"), await StateAsync(up));

        await up.KillAsync("streams-serve");
        await Eventually.TrueAsync(
            async () => (await StateAsync(up)).Host == Environment.MachineName, "up has looked at it again", TimeSpan.FromSeconds(60));
        Assert.Equal("revoked", (await StateAsync(up)).State);
        Assert.Equal(await KeyAsync(up, "revoked"), await KeyAsync(up, "moved"));
    }

    private static Task<string?> KeyAsync(Up up, string action) => Eventually.ValueAsync(
        () => up.TryQueryAsync($"SELECT public_key FROM agent_identity WHERE agent = 'self-1' AND action = '{action}'"),
        found => found is { Length: > 0 },
        $"the row of {action}",
        TimeSpan.FromSeconds(60));

    private static async Task<(string? Host, string? State)> StateAsync(Up up)
    {
        var agents = await Run.HostAsync("agents", "--json", "--data", up.Data);
        Assert.True(agents.Code == 0, agents.ToString());
        using var document = JsonDocument.Parse(agents.Output);
        var agent = Assert.Single(document.RootElement.EnumerateArray());
        return (agent.GetProperty("host").GetString(), agent.GetProperty("state").GetString());
    }
}
