using System.Globalization;
using System.Text;
using Streams.Schema;

namespace Streams.Microbench.Mix;

/// <summary>Rows like the mix's whose values are ready beforehand, so that appending them costs what appending costs.</summary>
internal sealed class RowSource
{
    private const int Programs = 64;

    /// <summary>Argument lists of one to six words; a power of two.</summary>
    private const int Arguments = 8192;

    private readonly byte[][] _programs = [.. Enumerable.Range(0, Programs).Select(i => Utf8($"/usr/bin/program-{i}"))];
    private readonly byte[][] _arguments;
    private readonly byte[][] _addresses = [.. Enumerable.Range(0, 16).Select(i => new byte[] { 10, 0, 1, (byte)i })];

    public RowSource()
    {
        var random = new Random(1);
        var words = Enumerable.Range(0, 2000).Select(_ => $"--option-{random.Next(5000)}={random.NextInt64():x}").ToList();
        _arguments = [.. Enumerable.Range(0, Arguments).Select(i => Utf8(
            $"/usr/bin/program-{i % Programs}{string.Concat(Enumerable.Range(0, i % 6).Select(_ => '\0' + words[random.Next(words.Count)]))}"))];
    }

    public void AppendExec(BatchBuilder builder, int row)
    {
        var program = _programs[row % Programs];
        var argv = _arguments[row & (Arguments - 1)];
        if (!builder.TryBeginRow((program.Length * 2) + argv.Length))
        {
            throw new InvalidOperationException("the builder is full");
        }

        builder.SetClaim(1_700_000_000_000_000 + row, (ulong)row + 1, 0, 0, 0);
        builder.SetUInt32(5, 1000 + ((uint)row & 0x7fff));
        builder.SetUInt32(6, 1);
        builder.SetUInt32(7, 0);
        builder.SetUInt32(8, 0);
        builder.SetUInt64(9, 17);
        builder.SetUInt64(10, 1_000_000);
        _ = builder.TrySetDictionary(11, program.AsSpan(9)) && builder.TrySetDictionary(12, program) && builder.TrySetString(13, argv);
        builder.SetUInt16(14, 4);
        builder.SetTime(15, 1_700_000_000_000_000);
        builder.EndRow();
    }

    public void AppendConnect(BatchBuilder builder, int row)
    {
        if (!builder.TryBeginRow(16))
        {
            throw new InvalidOperationException("the builder is full");
        }

        var peer = _addresses[row & 15];
        builder.SetClaim(1_700_000_000_000_000 + row, (ulong)row + 1, 0, 0, 0);
        builder.SetUInt32(5, 1000 + ((uint)row & 0x7fff));
        builder.SetUInt32(6, 1000);
        builder.SetUInt64(7, 17);
        _ = builder.TrySetDictionary(8, _programs[row & 15].AsSpan(9));
        builder.SetUInt8(9, 2);
        builder.SetIPv6(10, peer);
        builder.SetUInt16(11, (ushort)(32_768 + (row & 0x3fff)));
        builder.SetIPv6(12, peer);
        builder.SetUInt16(13, 8080);
        builder.SetUInt64(14, (ulong)row);
        builder.SetUInt8(15, 1);
        builder.SetUInt64(16, 100);
        builder.EndRow();
    }

    private static byte[] Utf8(FormattableString text) => Encoding.UTF8.GetBytes(text.ToString(CultureInfo.InvariantCulture));
}
