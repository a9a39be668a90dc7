using System.Buffers;

namespace Streams.Gateway.Connections;

/// <summary>
/// Where frame buffers come from: rented when a frame's header has said how long it is, given back when the frame's way ended. The count of what is out is a
/// tripwire of the tests: at the end of every session it is 0 again.
/// </summary>
internal sealed class FrameBuffers
{
    private long _rented;

    public long Rented => Interlocked.Read(ref _rented);

    public byte[] Rent(int bytes)
    {
        Interlocked.Increment(ref _rented);
        return ArrayPool<byte>.Shared.Rent(bytes);
    }

    public void Return(byte[] buffer)
    {
        Interlocked.Decrement(ref _rented);
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
