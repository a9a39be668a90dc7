using Streams.Host.Terminal;

namespace Streams.Host.Fleet;

/// <summary>Who changes keys or certificates of a directory does it alone: a command of the operator and `up`, which renews, are two processes.</summary>
internal sealed class KeysLock : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly FileStream _file;

    private KeysLock(FileStream file) => _file = file;

    /// <exception cref="CommandFailure">Another process has had it for five seconds.</exception>
    public static KeysLock Take(string directory)
    {
        var until = DateTime.UtcNow + Patience;
        while (true)
        {
            if (TryTake(directory) is { } taken)
            {
                return taken;
            }
            if (DateTime.UtcNow > until)
            {
                throw new CommandFailure($"{directory}: another process changes the keys; try again");
            }
            Thread.Sleep(Pause);
        }
    }

    /// <summary>Null when another process has it.</summary>
    public static KeysLock? TryTake(string directory)
    {
        try
        {
            // FileShare.None is flock(2) on Linux: it ends with the process that has it.
            return new KeysLock(new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Dispose() => _file.Dispose();
}
