using System.Diagnostics;
using Streams.Testing;

namespace Streams.Local.Tests;

/// <summary>What root gives away to the user of the servers.</summary>
public sealed class ServiceUserTests
{
    [Fact]
    public void A_link_out_of_its_directory_gives_nothing_away()
    {
        if (Environment.UserName != "root")
            return;
        using var directory = new TempDirectory();
        var own = Directory.CreateDirectory(directory.File("own")).FullName;
        var foreign = Directory.CreateDirectory(directory.File("foreign")).FullName;
        File.WriteAllText(Path.Combine(own, "data"), "");
        File.WriteAllText(Path.Combine(foreign, "secret"), "");
        Directory.CreateSymbolicLink(Path.Combine(own, "link"), foreign);
        File.CreateSymbolicLink(Path.Combine(own, "file-link"), Path.Combine(foreign, "secret"));
        var user = ServiceUser.For(["/"], out _);
        Assert.NotNull(user);
        user.Give(own);
        Assert.Equal(ServiceUser.Id, OwnerOf(own));
        Assert.Equal(ServiceUser.Id, OwnerOf(Path.Combine(own, "data")));
        Assert.Equal(0, OwnerOf(foreign));
        Assert.Equal(0, OwnerOf(Path.Combine(foreign, "secret")));
    }

    private static int OwnerOf(string path)
    {
        using var stat = Process.Start(new ProcessStartInfo("stat", ["-c", "%u", path]) { RedirectStandardOutput = true })!;
        return int.Parse(stat.StandardOutput.ReadToEnd(), System.Globalization.CultureInfo.InvariantCulture);
    }
}
