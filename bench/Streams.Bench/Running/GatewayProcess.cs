using System.Globalization;
using Streams.Local;

namespace Streams.Bench.Running;

/// <summary>A gateway as a process of its own beside those of an `up`, so that its cost can be told from the worker's.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(60);

    private readonly ChildProcess _process;

    private GatewayProcess(ChildProcess process, Uri url)
    {
        _process = process;
        Url = url;
    }

    public int Id => _process.Id;

    /// <summary>Where agents connect.</summary>
    public Uri Url { get; }

    /// <summary>Starts it on free ports, with the key and the certificate of the `up` whose data directory this is, and waits until it serves.</summary>
    /// <exception cref="BenchFailure">It ended or was not ready in time.</exception>
    public static async Task<GatewayProcess> StartAsync(string data, Endpoints endpoints, string log, CancellationToken stop)
    {
        var listen = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Ports.Free()}");
        var operators = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Ports.Free()}");
        var process = ChildProcess.Start(new ChildOptions
        {
            Name = "streams serve --roles gateway",
            FileName = "dotnet",
            Arguments =
            [
                RepositoryPrograms.Host(), "serve", "--roles", "gateway", "--listen", listen, "--operator-listen", operators,
                "--nats", endpoints.Nats, "--nats-gateway-seed", endpoints.NatsSeedFiles["gateway"],
                "--gateway-key", Path.Combine(data, "keys", "gateway.key"), "--gateway-certificate", Path.Combine(data, "keys", "gateway.cert"),
                "--partitions", endpoints.Partitions.ToString(CultureInfo.InvariantCulture),
            ],
            LogPath = log,
        });
        try
        {
            await ReadyAsync(process, operators, stop);
            return new GatewayProcess(process, new Uri($"ws://{listen}{new Uri(endpoints.Gateway).AbsolutePath}"));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public async Task StopAsync() => await _process.StopAsync(StopDeadline);

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static async Task ReadyAsync(ChildProcess gateway, string operators, CancellationToken stop)
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://{operators}/"), Timeout = TimeSpan.FromSeconds(5) };
        for (var until = DateTime.UtcNow + StartDeadline; !gateway.Exited.IsCompleted && DateTime.UtcNow < until;)
        {
            try
            {
                if ((await http.GetAsync("healthz", stop)).IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            await Task.Delay(100, stop);
        }

        throw new BenchFailure($"the gateway was not ready within {StartDeadline.TotalSeconds:0} s");
    }
}
