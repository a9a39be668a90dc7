namespace Streams.ClickHouse.Embedded.Hosting;

/// <summary>The engine's directory, held by one process.</summary>
internal sealed class DataDirectory : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly FileStream _lock;

    private DataDirectory(FileStream held) => _lock = held;

    /// <returns>Null with one line for the operator.</returns>
    public static DataDirectory? Open(string path, out string? error)
    {
        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            error = $"--data {path} cannot be made: {fault.Message}";
            return null;
        }

        try
        {
            error = null;
            // FileShare.None is flock(LOCK_EX | LOCK_NB) here; the kernel drops it with the process, however that ends.
            return new DataDirectory(new FileStream(Path.Combine(path, "streams-clickhouse.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException)
        {
            error = $"--data {path} is in use by another streams-clickhouse; stop that one or choose another directory";
        }
        catch (UnauthorizedAccessException)
        {
            error = $"--data {path} is not writable for this user; choose another directory or mend its owner";
        }

        return null;
    }

    public void Dispose() => _lock.Dispose();
}
