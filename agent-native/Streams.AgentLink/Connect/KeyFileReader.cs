using Streams.Wire.Crypto;
using Streams.Wire.Keys;

namespace Streams.AgentLink.Connect;

/// <summary>Reads a secret key from a file that only its owner may read.</summary>
public static class KeyFileReader
{
    /// <summary>False with one line in <paramref name="error"/> that names the file and the problem.</summary>
    public static bool TryRead(string path, KeyFileKind kind, out SigningKey? key, out string? error)
    {
        key = null;
        try
        {
            using var file = File.OpenHandle(path);
            error = OperatingSystem.IsWindows() ? null : KeyFile.CheckMode(path, File.GetUnixFileMode(file));
            if (error is not null)
            {
                return false;
            }

            Span<byte> content = stackalloc byte[KeyFile.MaxBytes + 1];
            var length = RandomAccess.Read(file, content, 0);
            var read = KeyFile.TryParse(path, content[..length], kind, out key, out error);
            content.Clear();
            return read;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            error = exception is FileNotFoundException or DirectoryNotFoundException
                ? $"{path}: no such key file" : $"{path}: cannot read the key file: {exception.Message}";
            return false;
        }
    }
}
