using System.Runtime.InteropServices;
using LibbpfSharp.Interop;
using Microsoft.Win32.SafeHandles;

namespace LibbpfSharp.Handles;

// Every attach gives a link; disposing of the link detaches. Failures are BpfException with libbpf's lines.
public sealed partial class BpfProgram
{
    /// <summary>Attaches as the section says: tp_btf, raw_tp, tracepoint, fentry, lsm ... not cgroup, xdp or perf_event, which need an object.</summary>
    public BpfLink Attach()
    {
        LibbpfLog.Begin();
        return Linked(Libbpf.bpf_program__attach(Alive()), Section);
    }

    /// <summary>Attaches to a static tracepoint, for example ("sched", "sched_process_exec"). Needs tracefs.</summary>
    public BpfLink AttachTracepoint(string category, string name)
    {
        LibbpfLog.Begin();
        return Linked(Libbpf.bpf_program__attach_tracepoint(Alive(), category, name), $"tracepoint {category}/{name}");
    }

    /// <summary>Attaches to a raw tracepoint by name.</summary>
    public BpfLink AttachRawTracepoint(string name)
    {
        LibbpfLog.Begin();
        return Linked(Libbpf.bpf_program__attach_raw_tracepoint(Alive(), name), $"raw tracepoint {name}");
    }

    /// <summary>Attaches a tracing program (tp_btf, fentry, fexit) to the target it was loaded for.</summary>
    public BpfLink AttachTrace()
    {
        LibbpfLog.Begin();
        return Linked(Libbpf.bpf_program__attach_trace(Alive()), Section);
    }

    /// <summary>Attaches to a cgroup v2, by an open descriptor of its directory.</summary>
    public BpfLink AttachCgroup(SafeFileHandle cgroup)
    {
        var added = false;
        cgroup.DangerousAddRef(ref added);
        try
        {
            LibbpfLog.Begin();
            return Linked(Libbpf.bpf_program__attach_cgroup(Alive(), (int)cgroup.DangerousGetHandle()), "cgroup");
        }
        finally
        {
            cgroup.DangerousRelease();
        }
    }

    /// <summary>Attaches to a cgroup v2, by the path of its directory.</summary>
    public BpfLink AttachCgroup(string directory)
    {
        using var handle = OpenDirectory.Open(directory);
        return AttachCgroup(handle);
    }

    /// <summary>Attaches to a network interface by index (1 is lo).</summary>
    public BpfLink AttachXdp(int interfaceIndex)
    {
        LibbpfLog.Begin();
        return Linked(Libbpf.bpf_program__attach_xdp(Alive(), interfaceIndex), $"xdp on interface {interfaceIndex}");
    }

    /// <summary>Attaches to a perf event. The link takes the event over and closes it.</summary>
    public BpfLink AttachPerfEvent(PerfEvent perfEvent)
    {
        LibbpfLog.Begin();
        var link = Linked(Libbpf.bpf_program__attach_perf_event(Alive(), (int)perfEvent.DangerousGetHandle()), "perf event");
        perfEvent.SetHandleAsInvalid();
        return link;
    }

    /// <summary>Attaches an iterator over everything of its kind; <see cref="BpfLink.ReadIterator"/> runs it.</summary>
    public BpfLink AttachIterator()
    {
        LibbpfLog.Begin();
        return Linked(Libbpf.bpf_program__attach_iter(Alive(), 0), Section);
    }

    /// <summary>Runs the program once in the kernel on the given packet or context (BPF_PROG_TEST_RUN).</summary>
    /// <returns>The program's return value.</returns>
    /// <exception cref="BpfException">The program type has no test run (ENOTSUPP 524) or the input is refused.</exception>
    public unsafe uint TestRun(ReadOnlySpan<byte> input, int repeat = 1)
    {
        fixed (byte* data = input)
        {
            var options = new Libbpf.bpf_test_run_opts
            {
                sz = (nuint)sizeof(Libbpf.bpf_test_run_opts),
                data_in = data,
                data_size_in = (uint)input.Length,
                repeat = repeat,
            };
            BpfException.Check(Libbpf.bpf_prog_test_run_opts(Descriptor, &options), $"test run of program {Name}");
            return options.retval;
        }
    }

    private BpfLink Linked(nint link, string target)
    {
        var errno = Marshal.GetLastPInvokeError();
        var log = LibbpfLog.End();
        if (link == 0)
        {
            BpfException.Throw($"attach program {Name} to {target}", errno, log);
        }
        return new BpfLink(link);
    }
}
