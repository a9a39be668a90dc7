using System.Text;

namespace Streams.Schema.Tests;

public class BlockCutsTests
{
    [Fact]
    public void A_column_that_is_not_small_stands_alone() =>
        Assert.Equal([150, 2150, 2180, 3204, 4229], Cuts(16, 50, 100, 2000, 10, 20, 1024, 1025, 30));

    [Fact]
    public void Small_columns_share_a_block_and_too_little_room_only_cuts_less()
    {
        Assert.Empty(Cuts(8, 24, 1, 1023, 500));
        Assert.Equal([32, 2032], Cuts(2, 32, 2000, 2000, 2000, 2000));
    }

    [Fact]
    public void Blocks_of_their_own_make_text_beside_numbers_smaller_and_come_back()
    {
        // Text of 17 characters beside random bytes: one table for both serves neither.
        var random = new Random(7);
        var text = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 20_000).Select(_ => "0123456789abcdef "[random.Next(17)])));
        var numbers = new byte[20_000];
        random.NextBytes(numbers);
        byte[] body = [.. numbers, .. text];
        using var compressor = new BatchCompressor();
        var whole = new byte[body.Length];
        var cut = new byte[body.Length];

        var wholeLength = compressor.Compress(BatchCompression.Zstd, body, [], whole);
        var cutLength = compressor.Compress(BatchCompression.Zstd, body, [numbers.Length], cut);

        Assert.InRange(cutLength, 1, wholeLength * 95 / 100);
        var back = new byte[body.Length];
        Assert.True(BatchDecompressor.TryDecompress(BatchCompression.Zstd, cut.AsSpan(0, cutLength), back));
        Assert.Equal(body, back);
    }

    [Fact]
    public void What_does_not_fit_is_nothing_and_the_next_frame_is_whole()
    {
        var body = new byte[50_000];
        new Random(7).NextBytes(body);
        using var compressor = new BatchCompressor();

        Assert.Equal(0, compressor.Compress(BatchCompression.Zstd, body, [20_000, 40_000], new byte[30_000]));

        var room = new byte[60_000];
        var length = compressor.Compress(BatchCompression.Zstd, body, [20_000, 40_000], room);
        var back = new byte[body.Length];
        Assert.True(BatchDecompressor.TryDecompress(BatchCompression.Zstd, room.AsSpan(0, length), back));
        Assert.Equal(body, back);
    }

    private static int[] Cuts(int room, int start, params int[] lengths)
    {
        var cuts = new BlockCuts(new int[room], start);
        foreach (var length in lengths)
        {
            cuts.Next(length);
        }

        return cuts.Found.ToArray();
    }
}
