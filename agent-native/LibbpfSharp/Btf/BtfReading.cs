using System.Runtime.InteropServices;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Btf;

/// <summary>Takes structs out of libbpf's struct btf.</summary>
internal static unsafe class BtfReading
{
    internal static BtfStruct? FindStruct(nint btf, string name)
    {
        var id = btf == 0 ? -1 : Libbpf.btf__find_by_name_kind(btf, name, Libbpf.BTF_KIND_STRUCT);
        if (id < 0)
        {
            return null;
        }
        var type = Libbpf.btf__type_by_id(btf, (uint)id);
        // include/uapi/linux/btf.h: info bits 0-15 number of members, bit 31 kind_flag (then 8 bits of offset are a bit-field's size).
        var count = (int)(type->info & 0xffff);
        var offsetMask = type->info >> 31 == 0 ? uint.MaxValue : 0xffffff;
        var members = (Libbpf.btf_member*)(type + 1);
        var fields = new BtfField[count];
        for (var i = 0; i < count; i++)
        {
            fields[i] = new BtfField(
                Marshal.PtrToStringUTF8((nint)Libbpf.btf__name_by_offset(btf, members[i].name_off)) ?? "",
                (int)((members[i].offset & offsetMask) / 8),
                (int)Libbpf.btf__resolve_size(btf, members[i].type));
        }
        return new BtfStruct(name, (int)type->size_or_type, fields);
    }
}
