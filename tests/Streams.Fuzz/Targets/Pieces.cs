using System.Buffers;

namespace Streams.Fuzz.Targets;

/// <summary>Bytes as a connection may bring them.</summary>
internal static class Pieces
{
    public static ReadOnlySequence<byte> InTwo(byte[] whole, int cut)
    {
        var first = new Piece(whole.AsMemory(0, cut), 0);
        var second = new Piece(whole.AsMemory(cut), cut);
        first.Join(second);
        return new ReadOnlySequence<byte>(first, 0, second, whole.Length - cut);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, long at)
        {
            Memory = memory;
            RunningIndex = at;
        }

        public void Join(Piece next) => Next = next;
    }
}
