using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Streams.Bench.Running;
using Streams.Local;

namespace Streams.Bench.Comparisons.Peers;

/// <summary>
/// syslog-ng as a peer: lines over loopback TCP, one port for each class, taken as they are and posted in large batches, with flow control so that
/// nothing is dropped. Its configuration is the one that costs it least of those that were tried (docs/adr/0031).
/// </summary>
internal sealed class SyslogNg(string program)
{
    public const string HowToInstall = "not installed: `eng/setup --peers` installs it (Debian's syslog-ng-core and syslog-ng-mod-http, 0.8 MB to download)";

    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(20);

    /// <summary>Null when it, or its http module, is not installed.</summary>
    public static SyslogNg? Find()
    {
        string[] programs = ["/usr/sbin/syslog-ng", "/usr/bin/syslog-ng", "/usr/local/sbin/syslog-ng"];
        var found = programs.FirstOrDefault(File.Exists);
        return found is not null && Directory.EnumerateDirectories("/usr/lib", "syslog-ng", SearchOption.AllDirectories)
            .Any(static folder => Directory.EnumerateFiles(folder, "libhttp.so", SearchOption.AllDirectories).Any())
            ? new SyslogNg(found)
            : null;
    }

    /// <summary>Starts it, feeds it, waits for <paramref name="arrived"/>, stops it.</summary>
    /// <returns>CPU seconds that it used.</returns>
    /// <exception cref="BenchFailure">It did not start or did not take the lines.</exception>
    public async Task<double> RunAsync(string directory, IReadOnlyList<PeerTarget> targets, Func<Task> arrived, CancellationToken stop)
    {
        var folder = Directory.CreateDirectory(Path.Combine(directory, "syslog-ng")).FullName;
        var ports = targets.Select(static _ => Ports.Free()).ToList();
        var configuration = Path.Combine(folder, "syslog-ng.conf");
        await File.WriteAllTextAsync(configuration, Configuration(targets, ports), stop);
        File.SetUnixFileMode(configuration, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var log = Path.Combine(folder, "syslog-ng.log");
        await using var process = ChildProcess.Start(new ChildOptions
        {
            Name = "syslog-ng",
            FileName = program,
            Arguments =
            [
                "--foreground", "--stderr", "--no-caps", "--cfgfile", configuration, "--persist-file", Path.Combine(folder, "persist"),
                "--pidfile", Path.Combine(folder, "pid"), "--control", Path.Combine(folder, "control"),
            ],
            LogPath = log,
        });
        var feeds = new List<Task>();
        var connections = new List<Socket>();
        try
        {
            for (var i = 0; i < targets.Count; i++)
            {
                var connection = await ConnectAsync(process, ports[i], log, stop);
                connections.Add(connection);
                feeds.Add(FeedAsync(connection, targets[i], stop));
            }

            await Task.WhenAll(feeds);
            await arrived();
            var cpu = ProcessCpu.Seconds(process.Id);
            await process.StopAsync(StopDeadline);
            return cpu;
        }
        finally
        {
            connections.ForEach(static connection => connection.Dispose());
        }
    }

    private static async Task FeedAsync(Socket connection, PeerTarget target, CancellationToken stop)
    {
        await using var stream = new NetworkStream(connection);
        await target.WriteAsync(stream, stop);
    }

    private static async Task<Socket> ConnectAsync(ChildProcess process, int port, string log, CancellationToken stop)
    {
        var until = DateTime.UtcNow + StartDeadline;
        while (true)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port, stop);
                return socket;
            }
            catch (SocketException) when (DateTime.UtcNow < until && !process.Exited.IsCompleted)
            {
                socket.Dispose();
                await Task.Delay(100, stop);
            }
            catch (SocketException)
            {
                socket.Dispose();
                throw new BenchFailure($"syslog-ng does not listen on port {port}; see {log}");
            }
        }
    }

    private static string Configuration(IReadOnlyList<PeerTarget> targets, List<int> ports)
    {
        var text = new StringBuilder("@version: 3.38\noptions { stats-freq(0); use-dns(no); dns-cache(no); keep-hostname(yes); create-dirs(no); };\n");
        for (var i = 0; i < targets.Count; i++)
        {
            var target = targets[i];
            text.Append(CultureInfo.InvariantCulture, $$"""
                source s_{{i}} {
                    network(ip("127.0.0.1") port({{ports[i]}}) transport("tcp") flags(no-parse) max-connections(1)
                        log-iw-size(300000) log-fetch-limit(10000) log-msg-size(65536));
                };
                destination d_{{i}} {
                    http(url("{{target.InsertUrl}}") user("{{target.User}}") password("{{target.Password}}") method("POST")
                        body("${MESSAGE}") delimiter("\n") batch-lines(100000) batch-bytes(134217728) batch-timeout(1000)
                        workers(1) timeout(120) log-fifo-size(400000));
                };
                log { source(s_{{i}}); destination(d_{{i}}); flags(flow-control); };

                """);
        }

        return text.ToString();
    }
}
