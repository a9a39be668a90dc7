using System.Numerics;
using System.Runtime.InteropServices;
using Streams.Schema;

namespace Streams.Storage;

/// <summary>Translates dictionary indices of a batch into those of the block. They were range-checked when the batch was decoded.</summary>
internal static class IndexRemap
{
    internal static void Write<TOut>(in DecodedColumn column, ReadOnlySpan<int> remap, SegmentedBuffer buffer)
        where TOut : unmanaged, IBinaryInteger<TOut>
    {
        switch (column.IndexWidth)
        {
            case 1:
                Write<byte, TOut>(column.Indices, remap, buffer);
                break;
            case 2:
                Write<ushort, TOut>(MemoryMarshal.Cast<byte, ushort>(column.Indices), remap, buffer);
                break;
            default:
                Write<uint, TOut>(MemoryMarshal.Cast<byte, uint>(column.Indices), remap, buffer);
                break;
        }
    }

    private static void Write<TIn, TOut>(ReadOnlySpan<TIn> indices, ReadOnlySpan<int> remap, SegmentedBuffer buffer)
        where TIn : unmanaged, IBinaryInteger<TIn>
        where TOut : unmanaged, IBinaryInteger<TOut>
    {
        while (!indices.IsEmpty)
        {
            var room = buffer.Room<TOut>(indices.Length);
            if (room.IsEmpty)
            {
                buffer.Fill(TOut.CreateTruncating(remap[int.CreateTruncating(indices[0])]), 1); // straddles two segments
                indices = indices[1..];
                continue;
            }

            for (var i = 0; i < room.Length; i++)
            {
                room[i] = TOut.CreateTruncating(remap[int.CreateTruncating(indices[i])]);
            }

            buffer.Advance<TOut>(room.Length);
            indices = indices[room.Length..];
        }
    }
}
