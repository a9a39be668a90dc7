using System.Net.Sockets;
using System.Text;
using Streams.Local.Servers;
using Streams.Testing;

namespace Streams.Local.Tests;

public sealed class NatsServerTests
{
    [Fact]
    public async Task Refuses_who_has_no_key()
    {
        await using var nats = await NatsProcess.StartAsync();
        using var socket = new TcpClient("127.0.0.1", nats.Url.Port);
        using var reader = new StreamReader(socket.GetStream(), Encoding.ASCII);
        Assert.StartsWith("INFO ", await reader.ReadLineAsync(), StringComparison.Ordinal);
        await socket.GetStream().WriteAsync("CONNECT {\"verbose\":false}\r\nPING\r\n"u8.ToArray());
        Assert.Contains("Authorization Violation", await reader.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_a_key_that_is_not_ours()
    {
        await using var nats = await NatsProcess.StartAsync();
        using var stranger = NATS.NKeys.KeyPair.CreatePair(NATS.NKeys.PrefixByte.User);
        var refusal = await NatsProbe.TryAsync(nats.Url.Port, stranger.GetSeed(), CancellationToken.None);
        Assert.Contains("Authorization Violation", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Is_asked_for_JetStream_and_not_for_a_pong()
    {
        await using var nats = await NatsProcess.StartAsync();
        Assert.True(await nats.Server.AnswersAsync(nats.Credentials, TimeSpan.FromSeconds(5)));

        // The same server, keys and port without its store: clients are let in and PING is answered.
        var server = nats.Server;
        var configuration = Path.Combine(server.Options.Directory, "nats.conf");
        await server.StopAsync();
        await File.WriteAllTextAsync(configuration, (await File.ReadAllTextAsync(configuration)).Split("jetstream {")[0]);
        await using var without = ChildProcess.Start(new ChildOptions
        {
            Name = "nats-server",
            FileName = "nats-server",
            Arguments = ["-c", configuration],
            LogPath = server.Options.LogPath,
        });
        await Eventually.ValueAsync(ProbeAsync, answer => answer == "nats-server has no JetStream", "the probe says so");

        async Task<string?> ProbeAsync()
        {
            try
            {
                return await NatsServer.ProbeAsync(server.Options.Port, nats.Credentials, CancellationToken.None);
            }
            catch (SocketException)
            {
                return "not yet";
            }
        }
    }

    [Fact]
    public async Task A_start_that_fails_says_why_in_one_line()
    {
        using var directory = new TempDirectory();
        using var taken = new TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var options = new NatsServerOptions
        {
            Directory = directory.File("nats"),
            LogPath = directory.File("log/nats.log"),
            Port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port,
            StartDeadline = TimeSpan.FromSeconds(5),
        };
        var credentials = Credentials.Open(Directory.CreateDirectory(directory.File("keys")).FullName);
        var error = await Assert.ThrowsAsync<LocalException>(() => NatsServer.StartAsync(options, credentials));
        Assert.DoesNotContain('\n', error.Message);
        Assert.Contains("nats-server", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_store_limit_stays_what_it_was_at_the_first_start()
    {
        await using var nats = await NatsProcess.StartAsync(maxFileStore: 256L << 20);
        Assert.Equal(256L << 20, nats.Server.MaxFileStore);
        var again = await NatsServer.StartAsync(
            nats.Server.Options with { Port = Ports.Free(), MaxFileStore = 1L << 30, LogPath = Path.GetTempFileName() }, nats.Credentials);
        await using (again)
            Assert.Equal(256L << 20, again.MaxFileStore);
    }
}
