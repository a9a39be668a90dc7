using System.Globalization;
using Streams.Local.Interop;

namespace Streams.Local;

/// <summary>
/// The unprivileged user that servers run as when root starts them. A number without an account: above the ids that distributions give
/// away (to 65535), below those of user namespaces (from 100000).
/// </summary>
public sealed class ServiceUser
{
    private const int Number = 77_020;
    private const UnixFileMode Traverse =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute;

    private ServiceUser()
    {
    }

    /// <summary>Numeric user and group id.</summary>
    public static int Id => Number;

    /// <summary>The user, or null when we are not root, or when it could not reach one of the paths; then the note says which.</summary>
    public static ServiceUser? For(IEnumerable<string> paths, out string? note)
    {
        note = null;
        if (Environment.UserName != "root")
            return null;
        foreach (var path in paths)
        {
            for (var parent = Directory.GetParent(Path.GetFullPath(path)); parent is not null; parent = parent.Parent)
            {
                if ((parent.UnixFileMode & UnixFileMode.OtherExecute) != 0)
                    continue;
                note = string.Create(CultureInfo.InvariantCulture,
                    $"nats-server and ClickHouse run as root: user {Number} may not enter {parent.FullName}, where {path} is");
                return null;
            }
        }

        return new ServiceUser();
    }

    /// <summary>Lets it pass through a directory that stays ours: it can open what it owns inside and list nothing.</summary>
    public void LetThrough(string directory)
    {
        Libc.ChangeOwner(directory, 0, Number);
        File.SetUnixFileMode(directory, Traverse);
    }

    /// <summary>
    /// Gives it a file, or a directory with all that is in it; the directory itself last, so that a broken attempt is repeated. Links are
    /// neither given nor followed: the user may have made one to a directory that is not its own.
    /// </summary>
    public void Give(string path)
    {
        if (Directory.Exists(path))
        {
            foreach (var entry in Directory.EnumerateFileSystemEntries(path, "*", new EnumerationOptions
            {
                RecurseSubdirectories = true,
                AttributesToSkip = FileAttributes.ReparsePoint,
            }))
                Libc.ChangeOwner(entry, Number, Number);
        }

        Libc.ChangeOwner(path, Number, Number);
    }
}
