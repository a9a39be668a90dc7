namespace LibbpfSharp.Tests;

/// <summary>Kernel tests run one after another: they count descriptors, links and events.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class KernelCollection : ICollectionFixture<BpfFsFixture>
{
    public const string Name = "kernel";
}

/// <summary>A bpffs of the tests' own.</summary>
public sealed class BpfFsFixture : IDisposable
{
    public BpfFsFixture()
    {
        Path = Directory.CreateTempSubdirectory("libbpfsharp-").FullName;
        try
        {
            BpfFileSystem.Mount(Path);
        }
        catch
        {
            Directory.Delete(Path);
            throw;
        }
    }

    public string Path { get; }

    /// <summary>Also when a failed test left something pinned or open in it.</summary>
    public void Dispose()
    {
        BpfFileSystem.Unmount(Path, evenInUse: true);
        Directory.Delete(Path);
    }
}

/// <summary>Fails a test that leaves a descriptor or an attached program behind.</summary>
[Collection(KernelCollection.Name)]
public abstract class KernelTest : IDisposable
{
    private readonly Dictionary<string, int> _descriptors = Descriptors();

    public void Dispose()
    {
        var now = Descriptors();
        foreach (var (kind, count) in now)
        {
            Assert.True(count <= _descriptors.GetValueOrDefault(kind), $"{count} descriptors of {kind}, {_descriptors.GetValueOrDefault(kind)} before");
        }
    }

    // Maps, programs, links and perf events by kind, of this process (others come and go); sockets and files are the test runner's own business.
    private static Dictionary<string, int> Descriptors()
    {
        var counts = new Dictionary<string, int>();
        foreach (var entry in new DirectoryInfo("/proc/self/fd").EnumerateFiles())
        {
            if (entry.LinkTarget is { } target && target.StartsWith("anon_inode:", StringComparison.Ordinal)
                && (target.Contains("bpf", StringComparison.Ordinal) || target.Contains("perf", StringComparison.Ordinal)))
            {
                counts[target] = counts.GetValueOrDefault(target) + 1;
            }
        }
        return counts;
    }
}
