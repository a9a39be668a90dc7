namespace Streams.Local;

/// <summary>Files that only their owner may read: mode 0600, written whole or not at all.</summary>
public static class SecretFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes beside the target, syncs, renames: a crash leaves the old content or the new, never half.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + ".new";
        File.Delete(temporary);
        using (var file = new FileStream(temporary, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
        }))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Reads a secret line. A file that others may read is refused: the secret may be known already.</summary>
    public static string ReadLine(string path)
    {
        var mode = File.GetUnixFileMode(path);
        if ((mode & ~OwnerOnly) != 0)
            throw new LocalException($"{path} may be read by others (mode {Convert.ToString((int)mode, 8)}); run: chmod 600 {path}");
        return File.ReadAllText(path).Trim();
    }
}
