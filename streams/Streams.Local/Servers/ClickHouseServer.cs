using System.Globalization;
using Streams.Local.Processes;

namespace Streams.Local;

/// <summary>A running streams-clickhouse, on loopback, with generated credentials.</summary>
public sealed class ClickHouseServer : IAsyncDisposable
{
    /// <summary>The program's name.</summary>
    public const string ProgramName = "streams-clickhouse";

    // What the program prints when its socket accepts connections.
    private const string ReadyText = "listening on";

    private ClickHouseServer(ChildProcess process, ClickHouseServerOptions options)
    {
        Process = process;
        Options = options;
    }

    public ChildProcess Process { get; }

    public ClickHouseServerOptions Options { get; }

    public Uri Url => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Options.Port}/"));

    /// <summary>Starts the program and returns when it listens.</summary>
    /// <exception cref="LocalException">It did not start; the line says why.</exception>
    public static async Task<ClickHouseServer> StartAsync(ClickHouseServerOptions options, Credentials credentials,
        CancellationToken cancel = default)
    {
        Directory.CreateDirectory(options.DataDirectory);
        options.User?.Give(options.DataDirectory);
        options.User?.Give(credentials.ClickHousePasswordFile);
        options.User?.Give(credentials.ClickHouseReaderPasswordFile);
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var (fileName, arguments) = Programs.Own(ProgramName, options.Program);
        var process = ChildProcess.Start(new ChildOptions
        {
            Name = ProgramName,
            FileName = fileName,
            Arguments = [.. arguments, .. Arguments(options, credentials)],
            LogPath = options.LogPath,
            User = options.User,
            CgroupDirectory = options.CgroupDirectory,
            Environment = options.Environment,
            OnLine = line =>
            {
                if (line.Contains(ReadyText, StringComparison.OrdinalIgnoreCase))
                    ready.TrySetResult();
                options.OnLine?.Invoke(line);
            },
        });
        try
        {
            var first = await Task.WhenAny(ready.Task, process.Exited).WaitAsync(options.StartDeadline, cancel).ConfigureAwait(false);
            if (first == process.Exited)
                throw new LocalException((await process.Exited.ConfigureAwait(false)).ToString());
            return new ClickHouseServer(process, options);
        }
        catch (Exception error)
        {
            await process.DisposeAsync().ConfigureAwait(false);
            if (error is TimeoutException)
                throw new LocalException(
                    $"{ProgramName} was not ready within {options.StartDeadline.TotalSeconds:0} s; see {options.LogPath}.", error);
            throw;
        }
    }

    /// <summary>Stops it in order: the engine must be closed before the process ends.</summary>
    public Task<ChildExit> StopAsync() => Process.StopAsync(TimeSpan.FromSeconds(30));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Process.DisposeAsync();

    // The password goes by file: command lines are readable by everybody on the machine.
    private static IEnumerable<string> Arguments(ClickHouseServerOptions options, Credentials credentials)
    {
        yield return "--data";
        yield return options.DataDirectory;
        yield return "--listen";
        yield return string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{options.Port}");
        yield return "--user";
        yield return Credentials.ClickHouseUser;
        yield return "--password-file";
        yield return credentials.ClickHousePasswordFile;
        yield return "--reader";
        yield return Credentials.ClickHouseReader;
        yield return "--reader-password-file";
        yield return credentials.ClickHouseReaderPasswordFile;
        if (options.Library is { } library)
        {
            yield return "--library";
            yield return library;
        }
    }
}
