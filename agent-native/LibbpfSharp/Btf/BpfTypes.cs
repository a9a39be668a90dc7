using LibbpfSharp.Handles;

namespace LibbpfSharp.Btf;

/// <summary>BTF type information of an object: sizes and offsets of its structs, to check mirrors against.</summary>
public readonly struct BpfTypes
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
        var found = BtfReading.FindStruct(_btf, name);
        GC.KeepAlive(_owner);
        return found;
    }
}
