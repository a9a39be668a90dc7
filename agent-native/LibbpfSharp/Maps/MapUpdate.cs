namespace LibbpfSharp.Maps;

/// <summary>What an update may do (BPF_ANY, BPF_NOEXIST, BPF_EXIST).</summary>
public enum MapUpdate : ulong
{
    /// <summary>Create or replace.</summary>
    Any = 0,

    /// <summary>Create only.</summary>
    NoExist = 1,

    /// <summary>Replace only.</summary>
    Exist = 2,
}
