using System.Text.Json;
using Streams.Testing;

namespace Streams.Agent.Tests.Published;

/// <summary>The published program refuses what it cannot use with one line and an exit code.</summary>
public sealed class BadInputTests
{
    [Theory]
    [InlineData(2, "unknown option '--zzz'", "--zzz")]
    [InlineData(2, "unknown command 'walk'", "walk")]
    [InlineData(1, "configuration file /nonexistent.json does not exist", "run", "--config", "/nonexistent.json")]
    [InlineData(1, "agent_id is missing", "run")]
    [InlineData(1, "telemetry.interval_seconds is 0, allowed is 1 to 3600", "--print-config", "--telemetry-interval-seconds", "0")]
    [InlineData(1, "policy module is not built in yet", "--print-config", "--policy-enabled", "true")]
    [InlineData(1, "no agent runs there", "status", "--state-directory", "/nonexistent")]
    public void One_line_that_says_what_and_how_to_mend(int code, string expected, params string[] arguments)
    {
        var (actual, output, error) = PublishedAgent.RunToEnd(arguments);
        Assert.Equal(code, actual);
        Assert.Equal("", output);
        Assert.StartsWith("streams-agent: ", error);
        Assert.Contains(expected, error);
        Assert.Contains(';', error);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public void A_key_that_others_may_read_is_refused()
    {
        using var directory = new TempDirectory("agent");
        var key = directory.File("agent.key");
        File.WriteAllText(key, "x");
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var (code, _, error) = PublishedAgent.RunToEnd(Run(directory, key));
        Assert.Equal(1, code);
        Assert.Contains("must be 0600", error);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (code, _, error) = PublishedAgent.RunToEnd(Run(directory, key));
        Assert.Equal(1, code);
        Assert.Contains("not a key file", error);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public void Doctor_names_every_check_and_its_remedy()
    {
        var (code, output, _) = PublishedAgent.RunToEnd("doctor", "--json");
        using var document = JsonDocument.Parse(output);
        var lacking = 0;
        foreach (var check in document.RootElement.GetProperty("checks").EnumerateArray())
        {
            Assert.Equal(check.GetProperty("ok").GetBoolean(), check.GetProperty("remedy").GetString()!.Length == 0);
            lacking += check.GetProperty("required").GetBoolean() && !check.GetProperty("ok").GetBoolean() ? 1 : 0;
        }

        Assert.Equal(lacking == 0 ? 0 : 1, code);
        Assert.Equal(lacking == 0, document.RootElement.GetProperty("ok").GetBoolean());
    }

    [Fact]
    public void The_version_is_printed() => Assert.Equal("streams-agent 0.1.0\n", PublishedAgent.RunToEnd("--version").Output);

    private static string[] Run(TempDirectory directory, string key) =>
        ["run", "--agent-id", "a", "--fleet-roots", new string('A', 43), "--state-directory", directory.File("state"), "--key-file", key];
}
