using System.Globalization;
using LibbpfSharp;

namespace Streams.Agent.Modules.Observability;

/// <summary>A cgroup as a person writes it in the configuration.</summary>
internal static class CgroupReference
{
    /// <summary>Id of a group given as a number, as a folder, or as a path below the mount ('/a/b' as in /proc/PID/cgroup). Null: there is no such group.</summary>
    public static ulong? Resolve(string text, string? mount)
    {
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            return id;
        if (mount is null)
            return null;
        var folder = text == mount || text.StartsWith(mount + "/", StringComparison.Ordinal) ? text : mount + text;
        return Directory.Exists(folder) ? CgroupFileSystem.IdOf(folder) : null;
    }
}
