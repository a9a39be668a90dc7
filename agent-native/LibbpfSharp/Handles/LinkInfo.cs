using System.Runtime.InteropServices;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Handles;

/// <summary>What the kernel says about a link (the head of struct bpf_link_info).</summary>
/// <param name="Id">Kernel-wide id.</param>
/// <param name="ProgramId">Id of the attached program, see <see cref="ProgramInfo.TryReadById"/>.</param>
public readonly record struct LinkInfo(uint Id, uint ProgramId)
{
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    internal struct bpf_link_info
    {
        public uint Type;
        public uint Id;
        public uint ProgramId;
    }

    internal static unsafe LinkInfo Read(int descriptor)
    {
        bpf_link_info info = default;
        var length = (uint)sizeof(bpf_link_info);
        BpfException.Check(Libbpf.bpf_obj_get_info_by_fd(descriptor, &info, &length), "link info");
        return new LinkInfo(info.Id, info.ProgramId);
    }
}
