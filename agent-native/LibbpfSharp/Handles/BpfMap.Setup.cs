using System.Runtime.InteropServices;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Handles;

// What can be said about a map of an object before it is loaded, and pinning.
public sealed partial class BpfMap
{
    /// <summary>Content of a rodata, data or bss map before load: constants and initial values of the C globals.</summary>
    /// <exception cref="BpfException">The map has no such content.</exception>
    public unsafe Span<byte> InitialValue
    {
        get
        {
            nuint size = 0;
            var value = Libbpf.bpf_map__initial_value(Pointer(), &size);
            if (value == null)
            {
                BpfException.Throw($"initial value of map {Name}", Marshal.GetLastPInvokeError(), "");
            }
            return new Span<byte>(value, (int)size);
        }
    }

    /// <summary>Replaces the whole initial content. Before load.</summary>
    public unsafe void SetInitialValue(ReadOnlySpan<byte> value)
    {
        fixed (byte* data = value)
        {
            BpfException.Check(Libbpf.bpf_map__set_initial_value(Pointer(), data, (nuint)value.Length), $"initial value of map {Name}");
        }
    }

    /// <summary>Load uses this existing map instead of creating one.</summary>
    /// <exception cref="BpfException">Its definition differs.</exception>
    public void Reuse(BpfMap existing) =>
        BpfException.Check(Libbpf.bpf_map__reuse_fd(Pointer(), existing.Descriptor), $"reuse map {existing.Name}");

    /// <summary>Template for the inner maps of a map in map. Before load.</summary>
    public void SetInner(BpfMap template) =>
        BpfException.Check(Libbpf.bpf_map__set_inner_map_fd(Pointer(), template.Descriptor), $"inner map of {Name}");

    /// <summary>Load takes the map pinned at the path if there is one with the same definition, else creates and pins it there.</summary>
    public void SetPinPath(string path) =>
        BpfException.Check(Libbpf.bpf_map__set_pin_path(Pointer(), path), $"pin path of map {Name}");

    /// <summary>Pins the created map on a bpffs.</summary>
    /// <exception cref="BpfException">EEXIST when something is there; EPERM when the path is on no bpffs.</exception>
    public void Pin(string path)
    {
        LibbpfLog.Begin();
        var result = _owner is null ? Libbpf.bpf_obj_pin(Descriptor, path) : Libbpf.bpf_map__pin(Pointer(), path);
        var log = LibbpfLog.End();
        if (result < 0)
        {
            BpfException.Throw($"pin map {Name} to {path}", -result, log);
        }
    }

    /// <summary>Removes the pin. The map lives on while anything refers to it.</summary>
    public void Unpin(string path)
    {
        if (_owner is null)
        {
            File.Delete(path);
        }
        else
        {
            BpfException.Check(Libbpf.bpf_map__unpin(Pointer(), path), $"unpin map {Name} from {path}");
        }
    }
}
