using System.Runtime.InteropServices;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Btf;

/// <summary>BTF type information of the running kernel. Several megabytes of native memory until disposed of.</summary>
public sealed class KernelTypes : SafeHandle
{
    private KernelTypes(nint btf)
        : base(0, ownsHandle: true) => SetHandle(btf);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Reads /sys/kernel/btf/vmlinux.</summary>
    /// <exception cref="BpfException">The kernel has no BTF.</exception>
    public static KernelTypes Load()
    {
        LibbpfLog.Begin();
        var btf = Libbpf.btf__load_vmlinux_btf();
        var errno = Marshal.GetLastPInvokeError();
        var log = LibbpfLog.End();
        if (btf == 0)
        {
            BpfException.Throw("read the kernel's BTF", errno, log);
        }
        return new KernelTypes(btf);
    }

    /// <summary>The struct of that name, or null.</summary>
    public BtfStruct? FindStruct(string name)
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        return BtfReading.FindStruct(handle, name);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Libbpf.btf__free(handle);
        return true;
    }
}
