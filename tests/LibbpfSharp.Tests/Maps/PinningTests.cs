using LibbpfSharp.Handles;
using LibbpfSharp.Maps;

namespace LibbpfSharp.Tests.Maps;

public sealed class PinningTests(BpfFsFixture bpffs) : KernelTest
{
    [Fact]
    public void Pinned_map_outlives_its_owner()
    {
        var path = Path.Combine(bpffs.Path, "map");
        using (var map = BpfMap.Create(BpfMapType.Array, "array", 4, 4, 1))
        {
            new ArrayMap<int>(map)[0] = 42;
            map.Pin(path);
        }
        using var opened = BpfMap.OpenPinned(path);
        Assert.Equal(BpfMapType.Array, opened.Type);
        Assert.Equal(42, new ArrayMap<int>(opened)[0]);
        opened.Unpin(path);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void Two_objects_share_a_map_by_its_pin_path()
    {
        var path = Path.Combine(bpffs.Path, "shared");
        using var first = TestObjects.Open("ring");
        using var second = TestObjects.Open("ring");
        first.Map("ring").SetPinPath(path);
        second.Map("ring").SetPinPath(path);
        first.Load();
        second.Load();
        Assert.Equal(BpfMap.IdOf(first.Map("ring").Descriptor), BpfMap.IdOf(second.Map("ring").Descriptor));
        File.Delete(path);
    }

    [Fact]
    public void Pinned_link_keeps_the_program_attached()
    {
        var path = Path.Combine(bpffs.Path, "link");
        BpfMap bss;
        using (var globals = TestObjects.Open("globals"))
        {
            globals.Load();
            bss = BpfMap.OpenById(BpfMap.IdOf(globals.Map("globals.bss").Descriptor));
            using var link = globals.Program("on_btf").Attach();
            link.Pin(path);
        }
        using (bss)
        {
            var runs = new ArrayMap<ulong>(bss);
            var before = runs[0];
            RunTrue();
            Assert.True(runs[0] > before);
            using (var link = BpfLink.OpenPinned(path))
            {
                link.Unpin();
            }
            before = runs[0];
            RunTrue();
            Assert.Equal(before, runs[0]);
        }
    }

    [Fact]
    public void Pinned_program_is_found_again()
    {
        var path = Path.Combine(bpffs.Path, "program");
        using var globals = TestObjects.Open("globals");
        globals.Load();
        globals.Program("sum").Pin(path);
        Assert.True(File.Exists(path));
        globals.Program("sum").Unpin(path);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void Pinning_elsewhere_says_why_not()
    {
        using var map = BpfMap.Create(BpfMapType.Array, "array", 4, 4, 1);
        var error = Assert.Throws<BpfException>(() => map.Pin("/tmp/not-on-a-bpffs"));
        Assert.Equal(1, error.Errno); // EPERM
        Assert.Contains("/tmp/not-on-a-bpffs", error.Message);
        var absent = Assert.Throws<BpfException>(() => BpfMap.OpenPinned(Path.Combine(bpffs.Path, "absent")));
        Assert.Equal(2, absent.Errno); // ENOENT
    }

    [Fact]
    public void The_tests_own_file_system_goes_also_when_a_test_left_it_in_use()
    {
        var own = new BpfFsFixture();
        using var map = BpfMap.Create(BpfMapType.Array, "array", 4, 4, 1);
        map.Pin(Path.Combine(own.Path, "map"));
        using (OpenDirectory.Open(own.Path))
        {
            var error = Assert.Throws<BpfException>(() => BpfFileSystem.Unmount(own.Path));
            Assert.Equal(16, error.Errno); // EBUSY
            own.Dispose();
            Assert.False(Directory.Exists(own.Path));
            Assert.DoesNotContain(own.Path, File.ReadAllText("/proc/self/mounts"));
        }
    }

    private static void RunTrue()
    {
        using var process = System.Diagnostics.Process.Start("/bin/true");
        process.WaitForExit();
    }
}
