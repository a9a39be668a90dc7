using System.Globalization;
using System.Text;

namespace Streams.AgentLink.Connect;

/// <summary>
/// The connect counter in a file: made durable before it is used, so that a value which goes back tells the gateway of a restored or cloned
/// host. Write beside, fsync, rename. Not thread-safe.
/// </summary>
public sealed class ConnectCounterFile(string path)
{
    private const int MaxBytes = 32;

    /// <summary>The next value, durable.</summary>
    /// <exception cref="InvalidDataException">The file holds something else; the message is one line that names it.</exception>
    public ulong Next()
    {
        var next = checked(Read() + 1);
        var beside = path + ".new";
        var bytes = Encoding.ASCII.GetBytes(next.ToString(CultureInfo.InvariantCulture) + "\n");
        using (var file = File.OpenHandle(beside, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            RandomAccess.Write(file, bytes, 0);
            RandomAccess.FlushToDisk(file);
        }

        File.Move(beside, path, overwrite: true);
        return next;
    }

    private ulong Read()
    {
        if (!File.Exists(path))
        {
            return 0;
        }

        using var file = File.OpenHandle(path);
        Span<byte> bytes = stackalloc byte[MaxBytes];
        var text = bytes[..RandomAccess.Read(file, bytes, 0)].TrimEnd((byte)'\n');
        return ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value : throw new InvalidDataException($"{path}: not a connect counter: remove the file if this host was not cloned");
    }
}
