using System.Runtime.InteropServices;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Handles;

/// <summary>A program of a <see cref="BpfObject"/>; usable as long as the object is open.</summary>
public sealed partial class BpfProgram
{
    private readonly BpfObject _owner;
    private readonly nint _program;

    internal unsafe BpfProgram(BpfObject owner, nint program)
    {
        _owner = owner;
        _program = program;
        Name = Marshal.PtrToStringUTF8((nint)Libbpf.bpf_program__name(program)) ?? "";
        Section = Marshal.PtrToStringUTF8((nint)Libbpf.bpf_program__section_name(program)) ?? "";
    }

    /// <summary>The C function's name.</summary>
    public string Name { get; }

    /// <summary>The SEC(), which says how it attaches.</summary>
    public string Section { get; }

    /// <summary>Derived by libbpf from the section.</summary>
    public BpfProgramType Type => Libbpf.bpf_program__type(Alive());

    /// <summary>File descriptor of the loaded program.</summary>
    /// <exception cref="BpfException">It is not loaded (EINVAL or ENOENT).</exception>
    public int Descriptor => BpfException.Check(Libbpf.bpf_program__fd(Alive()), $"descriptor of program {Name}");

    /// <summary>Whether load takes this program along. Change it before load, for example after a feature probe.</summary>
    /// <exception cref="BpfException">The object is loaded already.</exception>
    public bool AutoLoad
    {
        get => Libbpf.bpf_program__autoload(Alive());
        set => BpfException.Check(Libbpf.bpf_program__set_autoload(Alive(), value), $"set autoload of program {Name}");
    }

    /// <summary>Replaces the kernel function or tracepoint named in the section. Before load.</summary>
    public void SetAttachTarget(string function) =>
        BpfException.Check(Libbpf.bpf_program__set_attach_target(Alive(), 0, function), $"attach target {function} of program {Name}");

    /// <summary>Pins the program on a bpffs, so that it outlives this process.</summary>
    /// <exception cref="BpfException">For example EEXIST, or EPERM when the path is on no bpffs.</exception>
    public void Pin(string path) => Logged($"pin program {Name} to {path}", path, static (program, path) => Libbpf.bpf_program__pin(program, path));

    /// <summary>Removes the pin.</summary>
    public void Unpin(string path) => Logged($"unpin program {Name}", path, static (program, path) => Libbpf.bpf_program__unpin(program, path));

    /// <summary>What the kernel says about the loaded program, including how often it could not run.</summary>
    public ProgramInfo ReadInfo() => ProgramInfo.Read(Descriptor);

    private void Logged(string operation, string path, Func<nint, string, int> call)
    {
        LibbpfLog.Begin();
        var result = call(Alive(), path);
        var log = LibbpfLog.End();
        if (result < 0)
        {
            BpfException.Throw(operation, -result, log);
        }
    }

    private nint Alive()
    {
        ObjectDisposedException.ThrowIf(_owner.IsClosed, _owner);
        return _program;
    }
}
