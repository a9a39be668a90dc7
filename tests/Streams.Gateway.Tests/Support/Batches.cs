using Streams.Schema;
using Streams.Wire.Frames;

namespace Streams.Gateway.Tests.Support;

/// <summary>Real batches of class process_exec, and the padded plaintext of a data frame.</summary>
internal static class Batches
{
    private const int LongestText = 60_000;

    /// <param name="bytes">About how large; the content does not compress.</param>
    public static byte[] Make(Epoch epoch, uint lane, uint n, int bytes = 600)
    {
        Assert.True(Catalogue.TryGet("process_exec", out var process));
        using var builder = new BatchBuilder(process);
        var argv = process.Columns.ToList().FindIndex(column => column.Name == "argv");
        var rows = 0U;
        for (var left = Math.Max(1, bytes - 500); left > 0; left -= LongestText)
        {
            var text = new byte[Math.Min(left, LongestText)];
            Random.Shared.NextBytes(text);
            Assert.True(builder.TryBeginRow(text.Length));
            builder.SetClaim(1, n + 1, 0, 0, 0);
            Assert.True(builder.TrySetString(argv, text));
            builder.EndRow();
            rows++;
        }

        Assert.True(builder.TryAddLedger(0, n + 1, n + rows, rows));
        var buffer = new byte[Limits.MaxStoredBytes];
        var length = builder.Seal(new BatchName(epoch, lane, n), new BatchStamp(epoch), BatchCompression.None, buffer);
        Assert.True(length > 0);
        return buffer[..length];
    }

    /// <summary>One row of a class that servers write.</summary>
    public static byte[] Audit(Epoch epoch, uint lane, uint n)
    {
        using var builder = new BatchBuilder(ServerClasses.Audit);
        Assert.True(builder.TryBeginRow());
        builder.SetClaim(1, n + 1, ClaimColumns.UserSpaceCpu, 0, 0);
        builder.EndRow();
        Assert.True(builder.TryAddLedger(ClaimColumns.UserSpaceCpu, n + 1, n + 1, 1));
        var buffer = new byte[Limits.MaxStoredBytes];
        return buffer[..builder.Seal(new BatchName(epoch, lane, n), new BatchStamp(epoch), BatchCompression.None, buffer)];
    }

    /// <summary>Batches one after the other and zeros to a multiple of 256.</summary>
    public static byte[] Pad(params byte[][] batches)
    {
        var length = batches.Sum(batch => batch.Length);
        var plaintext = new byte[(length + Wire.Limits.PaddingBytes - 1) / Wire.Limits.PaddingBytes * Wire.Limits.PaddingBytes];
        var at = 0;
        foreach (var batch in batches)
        {
            batch.CopyTo(plaintext, at);
            at += batch.Length;
        }

        return plaintext;
    }

    public static int FrameBytes(byte[] plaintext) => plaintext.Length + FrameHeader.Overhead;
}
