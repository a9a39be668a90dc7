using System.Runtime.InteropServices;
using System.Text;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Handles;

/// <summary>
/// A compiled BPF object: opened (its maps and programs can be adjusted), then loaded into the kernel. Closing it drops
/// its references to maps and programs; links and pins live on.
/// </summary>
/// <remarks>Not thread-safe, like libbpf's bpf_object.</remarks>
public sealed class BpfObject : SafeHandle
{
    private readonly Dictionary<string, BpfProgram> _programs = [];
    private readonly Dictionary<string, BpfMap> _maps = [];

    private BpfObject(nint handle, string name)
        : base(0, ownsHandle: true)
    {
        SetHandle(handle);
        ObjectName = name;
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>The name given at open, used in messages.</summary>
    public string ObjectName { get; }

    /// <summary>True after <see cref="Load"/>.</summary>
    public bool IsLoaded { get; private set; }

    /// <summary>Programs by function name.</summary>
    public IReadOnlyDictionary<string, BpfProgram> Programs => _programs;

    /// <summary>Maps by name as libbpf knows it; rodata and bss are named "{first 8 of the object name}.rodata".</summary>
    public IReadOnlyDictionary<string, BpfMap> Maps => _maps;

    /// <summary>Type information of the object itself. Valid as long as the object is open.</summary>
    public Btf.BpfTypes Types => new(Libbpf.bpf_object__btf(this), this);

    /// <summary>Opens an object from memory. The memory is not referenced after the call.</summary>
    /// <param name="elf">An ELF object for the BPF target, with BTF.</param>
    /// <param name="name">At most 15 letters are used by the kernel.</param>
    /// <param name="customBtf">BTF file to relocate against instead of the running kernel's; null for the kernel's.</param>
    /// <exception cref="BpfException">The bytes are no usable BPF object.</exception>
    public static unsafe BpfObject Open(ReadOnlySpan<byte> elf, string name, string? customBtf = null)
    {
        var nameBytes = Encoding.UTF8.GetBytes(name + '\0');
        var btfBytes = customBtf is null ? null : Encoding.UTF8.GetBytes(customBtf + '\0');
        nint opened;
        int errno;
        LibbpfLog.Begin();
        fixed (byte* bytes = elf, namePointer = nameBytes, btfPointer = btfBytes)
        {
            var options = new Libbpf.bpf_object_open_opts
            {
                sz = (nuint)sizeof(Libbpf.bpf_object_open_opts),
                object_name = namePointer,
                btf_custom_path = btfPointer,
            };
            opened = Libbpf.bpf_object__open_mem(bytes, (nuint)elf.Length, &options);
            errno = Marshal.GetLastPInvokeError();
        }
        var log = LibbpfLog.End();
        if (opened == 0)
        {
            BpfException.Throw($"open BPF object {name}", errno, log);
        }
        var result = new BpfObject(opened, name);
        result.Collect();
        return result;
    }

    /// <summary>Opens an object file.</summary>
    /// <exception cref="BpfException">The file is no usable BPF object.</exception>
    public static BpfObject OpenFile(string path) => Open(File.ReadAllBytes(path), Path.GetFileNameWithoutExtension(path));

    /// <summary>Creates the maps and loads every program whose <see cref="BpfProgram.AutoLoad"/> is set.</summary>
    /// <exception cref="BpfException">The kernel refused a map or program; the log has the verifier's reason.</exception>
    public void Load()
    {
        LibbpfLog.Begin();
        var result = Libbpf.bpf_object__load(this);
        var log = LibbpfLog.End();
        if (result < 0)
        {
            BpfException.Throw($"load BPF object {ObjectName}", -result, log);
        }
        IsLoaded = true;
    }

    /// <summary>The program of that function name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public BpfProgram Program(string name) => _programs.TryGetValue(name, out var program)
        ? program
        : throw new KeyNotFoundException($"BPF object {ObjectName} has no program {name}.");

    /// <summary>The map of that name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public BpfMap Map(string name) => _maps.TryGetValue(name, out var map)
        ? map
        : throw new KeyNotFoundException($"BPF object {ObjectName} has no map {name}.");

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Libbpf.bpf_object__close(handle);
        return true;
    }

    private void Collect()
    {
        for (var program = Libbpf.bpf_object__next_program(this, 0); program != 0; program = Libbpf.bpf_object__next_program(this, program))
        {
            var item = new BpfProgram(this, program);
            _programs.Add(item.Name, item);
        }
        for (var map = Libbpf.bpf_object__next_map(this, 0); map != 0; map = Libbpf.bpf_object__next_map(this, map))
        {
            var item = new BpfMap(this, map);
            _maps.Add(item.Name, item);
        }
    }
}
