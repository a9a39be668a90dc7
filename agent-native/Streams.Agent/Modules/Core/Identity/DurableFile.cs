using Streams.Agent.Processes;

namespace Streams.Agent.Modules.Core.Identity;

/// <summary>Files that are whole or not there, whatever happens: written beside, synced, renamed, the folder synced.</summary>
internal static class DurableFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Mode 0600 from the first byte on.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var beside = path + ".new";
        File.Delete(beside);
        using (var file = new FileStream(beside, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
            BufferSize = 0,
        }))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        Move(beside, path);
    }

    public static void Move(string from, string to)
    {
        File.Move(from, to, overwrite: true);
        Libc.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(to))!);
    }

    public static void Delete(string path)
    {
        File.Delete(path);
        Libc.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Null when there is none; one that is larger than it may be is none of ours.</summary>
    /// <exception cref="AgentException">It is there and cannot be read.</exception>
    public static byte[]? TryRead(string path, int most)
    {
        try
        {
            if (!File.Exists(path))
                return null;
            var content = File.ReadAllBytes(path);
            return content.Length <= most ? content : throw new AgentException($"{path} has {content.Length} bytes, at most {most} are expected; remove it");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AgentException($"{path} cannot be read ({e.Message}); run the agent as the user that owns it");
        }
    }
}
