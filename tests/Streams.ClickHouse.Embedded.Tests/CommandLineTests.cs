using System.Net;
using System.Net.Sockets;
using Streams.Testing;

namespace Streams.ClickHouse.Embedded.Tests;

/// <summary>Every mistake is one line that names it and how to mend it.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly TempDirectory _directory = new("embedded");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(2, "--data DIR is missing")]
    [InlineData(2, "unknown option '--dat'", "--dat", "x")]
    [InlineData(2, "unknown option 'x'", "x")]
    [InlineData(2, "--data needs a value", "--data")]
    [InlineData(2, "--max-connections 0 is out of range; it takes 1 to 256", "--max-connections", "0")]
    [InlineData(2, "--max-connections 257", "--max-connections=257")]
    [InlineData(2, "--max-connections -1", "--max-connections", "-1")]
    [InlineData(2, "--max-memory 255M", "--max-memory", "255M")]
    [InlineData(2, "--max-memory 99999999999999999999", "--max-memory", "99999999999999999999")]
    [InlineData(2, "--max-body 17G", "--max-body", "17G")]
    [InlineData(2, "--wait-limit 601", "--wait-limit", "601")]
    [InlineData(2, "--listen 0.0.0.0:1 is not a loopback address", "--listen", "0.0.0.0:1")]
    [InlineData(2, "--listen 127.0.0.1 is not ADDRESS:PORT", "--listen", "127.0.0.1")]
    [InlineData(2, "--listen localhost:70000", "--listen", "localhost:70000")]
    [InlineData(2, "--log-level loud", "--log-level", "loud")]
    [InlineData(2, "--user and --password-file go together", "--data", "x", "--user", "me")]
    public async Task Mistakes_of_the_command_line(int exitCode, string text, params string[] arguments) => await FailsAsync(exitCode, text, arguments);

    [Fact]
    public async Task Library_that_is_missing_or_is_none()
    {
        await FailsAsync(1, "./justw setup", "--data", _directory.File("a"), "--library", _directory.File("none.so"));
        await File.WriteAllTextAsync(_directory.File("text.so"), "no library");
        await FailsAsync(1, "cannot be loaded", "--data", _directory.File("a"), "--library", _directory.File("text.so"));
    }

    [Fact]
    public async Task User_file_that_others_can_read_or_that_says_nothing()
    {
        var users = _directory.File("users");
        await FailsAsync(1, "cannot be read", "--data", _directory.File("a"), "--user-file", users);
        await File.WriteAllTextAsync(users, "me:secret\n");
        File.SetUnixFileMode(users, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        await FailsAsync(1, $"chmod 600 {users}", "--data", _directory.File("a"), "--user-file", users);
        File.SetUnixFileMode(users, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await File.WriteAllTextAsync(users, "# nobody\nno colon here\n");
        await FailsAsync(1, "line 2 is not user:password", "--data", _directory.File("a"), "--user-file", users);
        await File.WriteAllTextAsync(users, "# nobody\n");
        await FailsAsync(1, "has no line user:password", "--data", _directory.File("a"), "--user-file", users);
    }

    [Fact]
    public async Task Port_and_directory_of_another()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        await FailsAsync(1, $"--listen 127.0.0.1:{port} is in use", "--data", _directory.File("other"), "--listen", $"127.0.0.1:{port}");

        await using var server = await ServerProcess.StartAsync(_directory);
        await FailsAsync(1, "is in use by another streams-clickhouse", "--data", _directory.File("data"), "--listen", "127.0.0.1:0");
        await FailsAsync(1, "cannot be made", "--data", _directory.File("users"), "--listen", "127.0.0.1:0");
    }

    [Fact]
    public async Task Credentials_are_generated_for_their_owner_only()
    {
        await FailsAsync(1, "./justw setup", "--data", _directory.File("made"), "--library", _directory.File("none.so"));
        var path = _directory.File("made/credentials");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_directory.File("made")));
        Assert.Matches(@"\Astreams:[0-9a-f]{48}\n\z", await File.ReadAllTextAsync(path));
    }

    [Fact]
    public async Task Help_and_version()
    {
        var help = await ServerProcess.RunAsync("--help");
        Assert.Equal(0, help.ExitCode);
        Assert.Contains("--max-memory SIZE", help.Output);
        Assert.Matches(@"\Astreams-clickhouse \d+\.\d+\.\d+\n\z", (await ServerProcess.RunAsync("--version")).Output);
    }

    private static async Task FailsAsync(int exitCode, string text, params string[] arguments)
    {
        var (code, output, errors) = await ServerProcess.RunAsync(arguments);
        Assert.Equal((exitCode, ""), (code, output));
        var lines = errors.TrimEnd('\n').Split('\n');
        Assert.True(lines.Length == 1 || lines[..^1].All(line => line.Contains(" info: ", StringComparison.Ordinal)), errors);
        Assert.StartsWith("streams-clickhouse: ", lines[^1]);
        Assert.Contains(text, lines[^1]);
    }
}
