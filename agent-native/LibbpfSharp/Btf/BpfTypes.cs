using System.Runtime.InteropServices;
using LibbpfSharp.Handles;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Btf;

/// <summary>BTF type information of an object: sizes and offsets of its structs, to check mirrors against.</summary>
public readonly unsafe struct BpfTypes
{
    private readonly nint _btf;
    private readonly BpfObject _owner;

    internal BpfTypes(nint btf, BpfObject owner)
    {
        _btf = btf;
        _owner = owner;
    }

    /// <summary>The struct of that name, or null.</summary>
    public BtfStruct? FindStruct(string name)
    {
        ObjectDisposedException.ThrowIf(_owner.IsClosed, _owner);
        if (_btf == 0)
        {
            return null;
        }
        var id = Libbpf.btf__find_by_name_kind(_btf, name, Libbpf.BTF_KIND_STRUCT);
        if (id < 0)
        {
            return null;
        }
        var type = Libbpf.btf__type_by_id(_btf, (uint)id);
        // include/uapi/linux/btf.h: info bits 0-15 number of members, bit 31 kind_flag.
        var count = (int)(type->info & 0xffff);
        var offsetMask = type->info >> 31 == 0 ? uint.MaxValue : 0xffffff;
        var members = (Libbpf.btf_member*)(type + 1);
        var fields = new BtfField[count];
        for (var i = 0; i < count; i++)
        {
            fields[i] = new BtfField(
                Marshal.PtrToStringUTF8((nint)Libbpf.btf__name_by_offset(_btf, members[i].name_off)) ?? "",
                (int)((members[i].offset & offsetMask) / 8),
                (int)Libbpf.btf__resolve_size(_btf, members[i].type));
        }
        GC.KeepAlive(_owner);
        return new BtfStruct(name, (int)type->size_or_type, fields);
    }
}
