using System.Globalization;

namespace Streams.AgentLink.Connect;

/// <summary>The kernel's boot id.</summary>
public static class BootId
{
    private const string Path = "/proc/sys/kernel/random/boot_id";

    /// <summary>The boot id as a number, 0 where the kernel does not tell.</summary>
    public static UInt128 Read()
    {
        var text = File.Exists(Path) ? File.ReadAllText(Path).Trim().Replace("-", "", StringComparison.Ordinal) : "";
        return UInt128.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id) ? id : 0;
    }
}
