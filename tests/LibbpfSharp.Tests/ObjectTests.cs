using System.Diagnostics;
using System.Runtime.InteropServices;
using LibbpfSharp.Handles;

namespace LibbpfSharp.Tests;

public sealed class ObjectTests : KernelTest
{
    [Fact]
    public void Constants_and_variables_are_set_before_load()
    {
        using var globals = TestObjects.Open("globals");
        OnlyLoad(globals, "sum");
        MemoryMarshal.Write(globals.Map("globals.rodata").InitialValue, 40u);
        MemoryMarshal.Write(globals.Map("globals.data").InitialValue, 5u);
        globals.Load();
        Assert.Equal(45u, globals.Program("sum").TestRun(new byte[64]));
    }

    [Fact]
    public void Programs_without_autoload_are_left_out()
    {
        using var globals = TestObjects.Open("globals");
        OnlyLoad(globals, "sum");
        globals.Load();
        Assert.True(globals.Program("sum").Descriptor > 0);
        Assert.Throws<BpfException>(() => globals.Program("on_btf").Descriptor);
        Assert.Throws<BpfException>(() => globals.Program("sum").AutoLoad = false);
    }

    [Fact]
    public void Garbage_is_refused_with_libbpfs_words()
    {
        var error = Assert.Throws<BpfException>(() => BpfObject.Open(new byte[100], "garbage"));
        Assert.Contains("garbage", error.Message);
        Assert.Contains("libbpf:", error.Log);
    }

    [Fact]
    public void Verifier_says_why_it_refuses()
    {
        using var refused = TestObjects.Open("refused");
        var error = Assert.Throws<BpfException>(refused.Load);
        Assert.Equal(13, error.Errno); // EACCES
        Assert.Contains("map_value_or_null", error.Log);
        Assert.Contains("careless", error.Log);
    }

    [Fact]
    public void Failed_attach_names_the_target()
    {
        using var globals = TestObjects.Open("globals");
        globals.Load();
        var error = Assert.Throws<BpfException>(() => globals.Program("on_raw").AttachRawTracepoint("no_such_tracepoint"));
        Assert.Equal(2, error.Errno); // ENOENT
        Assert.Contains("no_such_tracepoint", error.Message);
    }

    [Theory]
    [InlineData("on_raw")]
    [InlineData("on_btf")]
    public void Attached_by_section_runs_until_disposed(string program)
    {
        using var globals = TestObjects.Open("globals");
        globals.Load();
        using (globals.Program(program).Attach())
        {
            RunTrue();
            Assert.True(Runs(globals) >= 1);
        }
        // Other processes may have run while it was attached, none does after.
        var after = Runs(globals);
        RunTrue();
        Assert.Equal(after, Runs(globals));
    }

    [Fact]
    public void Tracepoint_program_runs_with_tracefs()
    {
        using var tracefs = Tracefs.Mounted();
        using var globals = TestObjects.Open("globals");
        globals.Load();
        using var link = globals.Program("on_tracepoint").AttachTracepoint("sched", "sched_process_exec");
        RunTrue();
        Assert.True(Runs(globals) >= 1);
    }

    [Fact]
    public void Cgroup_program_denies_in_its_cgroup_only()
    {
        var cgroup = Path.Combine(CgroupFileSystem.FindMount()!, $"libbpfsharp-{Environment.ProcessId}");
        Directory.CreateDirectory(cgroup);
        try
        {
            using var globals = TestObjects.Open("globals");
            globals.Load();
            using (globals.Program("deny").AttachCgroup(cgroup))
            {
                var script = $"echo $$ > {cgroup}/cgroup.procs; exec 3<>/dev/tcp/127.0.0.1/1";
                Assert.Contains("not permitted", Bash(script));
                Assert.Contains("refused", Bash("exec 3<>/dev/tcp/127.0.0.1/1"));
                Assert.Equal(1ul, Runs(globals));
            }
        }
        finally
        {
            Directory.Delete(cgroup);
        }
    }

    [Fact]
    public void Xdp_program_attaches_to_loopback()
    {
        using var globals = TestObjects.Open("globals");
        // 2 is XDP_PASS: the traffic of others goes on.
        MemoryMarshal.Write(globals.Map("globals.rodata").InitialValue, 0u);
        globals.Load();
        using var link = globals.Program("sum").AttachXdp(1);
        Assert.True(link.Descriptor > 0);
    }

    [Fact]
    public void Perf_event_program_runs_on_the_clock()
    {
        using var globals = TestObjects.Open("globals");
        globals.Load();
        using var clock = PerfEvent.OpenCpuClock(0, 1000);
        using (globals.Program("on_clock").AttachPerfEvent(clock))
        {
            Assert.True(SpinWait.SpinUntil(() => Runs(globals) > 5, TimeSpan.FromSeconds(10)));
        }
    }

    [Fact]
    public void Program_info_is_read()
    {
        using var globals = TestObjects.Open("globals");
        globals.Load();
        var info = globals.Program("sum").ReadInfo();
        Assert.True(info.Id > 0);
        Assert.True(info.VerifiedInstructions > 1);
        Assert.Equal(0ul, info.RecursionMisses);
    }

    [Fact]
    public void Closed_object_is_not_used()
    {
        var globals = TestObjects.Open("globals");
        var program = globals.Program("sum");
        globals.Dispose();
        Assert.Throws<ObjectDisposedException>(() => program.Type);
        Assert.Throws<ObjectDisposedException>(() => globals.Map("globals.data").Descriptor);
    }

    private static void OnlyLoad(BpfObject globals, string name)
    {
        foreach (var program in globals.Programs.Values)
        {
            program.AutoLoad = program.Name == name;
        }
    }

    private static ulong Runs(BpfObject globals)
    {
        using var map = BpfMap.OpenById(BpfMap.IdOf(globals.Map("globals.bss").Descriptor));
        return new LibbpfSharp.Maps.ArrayMap<ulong>(map)[0];
    }

    private static void RunTrue()
    {
        using var process = Process.Start("/bin/true");
        process.WaitForExit();
    }

    private static string Bash(string script)
    {
        var start = new ProcessStartInfo("/bin/bash", ["-c", script]) { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var text = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return text;
    }
}
