using LibbpfSharp.Interop;
using Microsoft.Win32.SafeHandles;

namespace LibbpfSharp.Handles;

/// <summary>An owned file descriptor of a map that belongs to no object.</summary>
internal sealed class MapDescriptor : SafeHandleMinusOneIsInvalid
{
    internal MapDescriptor(int descriptor)
        : base(ownsHandle: true) => SetHandle(descriptor);

    protected override bool ReleaseHandle() => Libc.close((int)handle) == 0;
}
