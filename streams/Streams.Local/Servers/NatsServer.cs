using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Streams.Local.Servers;

namespace Streams.Local;

/// <summary>A running nats-server with JetStream, on loopback, open to our roles' keys only.</summary>
public sealed class NatsServer : IAsyncDisposable
{
    /// <summary>
    /// What the key-value buckets and the streams of commands and responses may take, bytes: the sum of their quotas in Streams.Queue's TopologyOptions, which this project may not
    /// see; a test compares them.
    /// </summary>
    internal const long ControlReserve = 72L << 20;

    /// <summary>All quotas together, of the file store; the rest is the server's room to compact.</summary>
    internal const double QuotaShare = 0.7;

    /// <summary>An ingest stream smaller than this is of no use: a few blocks of the server's.</summary>
    private const long SmallestIngest = 4L << 20;
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromMilliseconds(20);

    private NatsServer(ChildProcess process, NatsServerOptions options, long maxFileStore)
    {
        Process = process;
        Options = options;
        MaxFileStore = maxFileStore;
    }

    public ChildProcess Process { get; }

    public NatsServerOptions Options { get; }

    /// <summary>Bytes that JetStream may store in all.</summary>
    public long MaxFileStore { get; }

    /// <summary>
    /// The quota of one ingest stream, bytes: all of them, the key-value buckets, commands and responses together have 70 % of the file store. A full file store
    /// would refuse the worker's own writes (error 10023) and nothing could be drained any more (review 14).
    /// </summary>
    public long IngestQuota => ((long)(MaxFileStore * QuotaShare) - ControlReserve) / Options.Partitions;

    public Uri Url => new(string.Create(CultureInfo.InvariantCulture, $"nats://127.0.0.1:{Options.Port}"));

    /// <summary>Writes the configuration, starts the server, returns when its JetStream has answered us.</summary>
    /// <exception cref="LocalException">It did not start; the line says why.</exception>
    public static async Task<NatsServer> StartAsync(NatsServerOptions options, Credentials credentials, CancellationToken cancel = default)
    {
        Directory.CreateDirectory(options.Directory);
        var maxFileStore = FileStoreLimit(options);
        var configuration = Path.Combine(options.Directory, "nats.conf");
        SecretFile.Write(configuration, Encoding.UTF8.GetBytes(NatsConfiguration.Write(options, credentials, maxFileStore)));
        options.User?.Give(options.Directory);
        var process = ChildProcess.Start(new ChildOptions
        {
            Name = "nats-server",
            FileName = options.Program,
            Arguments = ["-c", configuration],
            LogPath = options.LogPath,
            User = options.User,
            CgroupDirectory = options.CgroupDirectory,
            OnLine = options.OnLine,
        });
        try
        {
            await WaitUntilReadyAsync(process, options, credentials, cancel).ConfigureAwait(false);
            return new NatsServer(process, options, maxFileStore);
        }
        catch
        {
            await process.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Whether JetStream answers within <paramref name="patience"/>. It does not, for ever, after its disk was full (2.9.10): kill it and
    /// start it again when the disk has room.
    /// </summary>
    public async Task<bool> AnswersAsync(Credentials credentials, TimeSpan patience, CancellationToken cancel = default)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(patience);
        try
        {
            return await ProbeAsync(Options.Port, credentials, deadline.Token).ConfigureAwait(false) is null;
        }
        catch (Exception error)
            when (error is SocketException or IOException || (error is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return false;
        }
    }

    /// <summary>Stops the server in order; it writes its state out.</summary>
    public Task<ChildExit> StopAsync() => Process.StopAsync(TimeSpan.FromSeconds(10));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Process.DisposeAsync();

    /// <summary>Null when the server on this port knows our keys and its JetStream answers, else what is wrong.</summary>
    /// <exception cref="SocketException">Nobody listens.</exception>
    public static Task<string?> ProbeAsync(int port, Credentials credentials, CancellationToken cancel) =>
        NatsProbe.TryAsync(port, credentials.NatsSeed(NatsRole.Operator), cancel);

    private static async Task WaitUntilReadyAsync(ChildProcess process, NatsServerOptions options, Credentials credentials,
        CancellationToken cancel)
    {
        var seed = credentials.NatsSeed(NatsRole.Operator);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(options.StartDeadline);
        var ready = ProbeUntilReadyAsync(options.Port, seed, deadline.Token);
        try
        {
            // What answers on the port may be somebody else, silent for ever, while our server has long given up.
            if (await Task.WhenAny(ready, process.Exited).ConfigureAwait(false) == process.Exited)
                throw new LocalException((await process.Exited.ConfigureAwait(false)).ToString());
            await ready.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new LocalException($"nats-server was not ready within {options.StartDeadline.TotalSeconds:0} s; see {options.LogPath}.");
        }
        finally
        {
            await deadline.CancelAsync().ConfigureAwait(false);
            await ready.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task ProbeUntilReadyAsync(int port, string seed, CancellationToken cancel)
    {
        while (!await ProbeAsync(port, seed, cancel).ConfigureAwait(false))
            await Task.Delay(ProbeInterval, cancel).ConfigureAwait(false);
    }

    private static async Task<bool> ProbeAsync(int port, string seed, CancellationToken cancel)
    {
        try
        {
            var refusal = await NatsProbe.TryAsync(port, seed, cancel).ConfigureAwait(false);
            return refusal is null ? true : throw new LocalException($"Port {port}: {refusal}.");
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            return false;
        }
    }

    // Fixed at the first start: the streams reserve their quotas out of it, and a server started with less refuses to bring them back.
    private static long FileStoreLimit(NatsServerOptions options)
    {
        var path = Path.Combine(options.Directory, "max_file_store");
        if (File.Exists(path) && long.TryParse(File.ReadAllText(path), NumberStyles.None, CultureInfo.InvariantCulture, out var stored))
            return stored;
        var free = new DriveInfo(options.Directory).AvailableFreeSpace;
        var limit = Math.Min((long)(free * options.DiskShare), options.MaxFileStore) & ~0xFFFL;
        var smallest = (long)((ControlReserve + options.Partitions * SmallestIngest) / QuotaShare);
        if (limit < smallest)
        {
            throw new LocalException(
                $"{options.Directory} has {free >> 20} MiB free; the queue needs {(long)(smallest / options.DiskShare) >> 20} MiB "
                + "free. Make room, or give another directory with --data.");
        }

        SecretFile.Write(path, Encoding.ASCII.GetBytes(limit.ToString(CultureInfo.InvariantCulture)));
        return limit;
    }
}
