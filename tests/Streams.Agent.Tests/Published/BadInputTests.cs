using System.Text.Json;
using Streams.Testing;
using Streams.Wire.Crypto;
using Streams.Wire.Keys;

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
    public void A_kernel_without_type_information_is_named()
    {
        using var directory = new TempDirectory("agent");
        // A mount namespace of its own, in which the kernel's BTF is not there.
        var (code, _, error) = PublishedAgent.RunToEnd(
            "unshare", ["--mount", "sh", "-c", "mount -t tmpfs none /sys/kernel/btf && exec \"$0\" \"$@\"", PublishedAgent.Program, .. Run(directory, ValidKey(directory))]);
        Assert.Equal(1, code);
        Assert.Contains("BTF", error);
        Assert.Contains("doctor", error);
        Assert.StartsWith("streams-agent: ", error.TrimEnd('\n').Split('\n')[^1]);
        Assert.DoesNotContain("   at ", error);
    }

    [Fact]
    public void Missing_rights_are_named()
    {
        using var directory = new TempDirectory("agent");
        var key = ValidKey(directory);
        var (code, _, error) = PublishedAgent.RunToEnd(
            "setpriv", ["--bounding-set=-all", "--inh-caps=-all", PublishedAgent.Program, .. Run(directory, key)]);
        Assert.Equal(1, code);
        Assert.Contains("CAP_BPF", error);
        Assert.DoesNotContain("   at ", error);
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

    private static string ValidKey(TempDirectory directory)
    {
        var path = directory.File("agent.key");
        using var key = SigningKey.Generate();
        File.WriteAllBytes(path, KeyFile.Format(KeyFileKind.Agent, key));
        File.SetUnixFileMode(path, KeyFile.RequiredMode);
        return path;
    }

    private static string[] Run(TempDirectory directory, string key) =>
        ["run", "--agent-id", "a", "--fleet-roots", new string('A', 43), "--state-directory", directory.File("state"), "--key-file", key];
}
