using LibbpfSharp.Handles;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Maps;

/// <summary>Turns results of map calls into answers: absence is a value, everything else an exception.</summary>
internal static class KeyOperations
{
    private const int EEXIST = 17;

    internal static bool Found(int result, BpfMap map)
    {
        if (result == -Libc.ENOENT)
        {
            return false;
        }
        BpfException.Check(result, map.Name);
        return true;
    }

    internal static bool Updated(int result, BpfMap map)
    {
        if (result is -EEXIST or -Libc.ENOENT)
        {
            return false;
        }
        BpfException.Check(result, map.Name);
        return true;
    }
}
