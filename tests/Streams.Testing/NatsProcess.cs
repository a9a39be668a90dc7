using Streams.Local;
using Xunit;

namespace Streams.Testing;

/// <summary>
/// A real nats-server of one test or one collection: its own directory, credentials and port. As an xunit fixture it has four
/// partitions; make one by
/// <see cref="StartAsync"/> for anything else.
/// </summary>
public sealed class NatsProcess : IAsyncLifetime, IAsyncDisposable
{
    private readonly TempDirectory _directory = new("nats");
    private readonly int _partitions;
    private readonly long _maxFileStore;
    private NatsServer? _server;
    private Credentials? _credentials;

    public NatsProcess()
        : this(4, 512L << 20)
    {
    }

    private NatsProcess(int partitions, long maxFileStore)
    {
        _partitions = partitions;
        _maxFileStore = maxFileStore;
    }

    /// <summary>nats://127.0.0.1:port; the port stays the same over restarts.</summary>
    public Uri Url => Server.Url;

    public NatsServer Server => _server ?? throw new InvalidOperationException("nats-server does not run.");

    public Credentials Credentials => _credentials ?? throw new InvalidOperationException("nats-server was not started.");

    /// <summary>The JetStream directory.</summary>
    public string Store => _directory.File("nats/jetstream");

    /// <summary>Starts a server.</summary>
    /// <param name="partitions">Ingest partitions that the roles' permissions name.</param>
    /// <param name="maxFileStore">Upper bound of the file store, bytes; at least 128 MiB.</param>
    public static async Task<NatsProcess> StartAsync(int partitions = 4, long maxFileStore = 512L << 20)
    {
        var process = new NatsProcess(partitions, maxFileStore);
        await process.InitializeAsync().ConfigureAwait(false);
        return process;
    }

    /// <summary>The NKey seed of a role.</summary>
    public string Seed(NatsRole role) => Credentials.NatsSeed(role);

    public async Task InitializeAsync()
    {
        _credentials = Credentials.Open(Directory.CreateDirectory(_directory.File("keys")).FullName);
        await LaunchAsync(Ports.Free()).ConfigureAwait(false);
    }

    /// <summary>SIGKILL: what a crash does.</summary>
    public async Task KillAsync()
    {
        Server.Process.Kill();
        await Server.Process.Exited.ConfigureAwait(false);
    }

    /// <summary>SIGSTOP: the process is there, its sockets too, and nothing answers.</summary>
    public void Pause() => Server.Process.Pause();

    /// <summary>SIGCONT.</summary>
    public void Resume() => Server.Process.Resume();

    /// <summary>SIGTERM: an orderly stop.</summary>
    public Task StopAsync() => Server.StopAsync();

    /// <summary>Starts it again on the same port and the same store, after ending it if it runs.</summary>
    /// <param name="wipe">Deletes the store first: the streams and buckets are gone.</param>
    public async Task RestartAsync(bool wipe = false)
    {
        var port = Server.Options.Port;
        await Server.DisposeAsync().ConfigureAwait(false);
        if (wipe)
            Directory.Delete(Store, recursive: true);
        await LaunchAsync(port).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync().ConfigureAwait(false);
        _directory.Dispose();
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    private async Task LaunchAsync(int port) => _server = await NatsServer.StartAsync(
        new NatsServerOptions
        {
            Directory = Directory.CreateDirectory(_directory.File("nats")).FullName,
            LogPath = _directory.File("log/nats-server.log"),
            Port = port,
            Partitions = _partitions,
            MaxFileStore = _maxFileStore,
        },
        Credentials).ConfigureAwait(false);
}
