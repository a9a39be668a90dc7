using System.Text.Unicode;
using Streams.Schema;

namespace Streams.Queue.Producing;

/// <summary>Texts of server-born rows: bounded, so that a row always fits into a batch.</summary>
public static class RowText
{
    /// <summary>Bytes of one text; what is longer is cut at a whole character.</summary>
    public const int MaxBytes = 1024;

    /// <summary>Texts that a row may have.</summary>
    internal const int MaxTexts = 10;

    /// <summary>Sets a String or a Dictionary column of the row that was begun.</summary>
    public static void SetText(this BatchBuilder row, int ordinal, string text)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        // Writes whole characters only, and a replacement for what is none.
        Utf8.FromUtf16(text, bytes, out _, out var written);
        row.SetText(ordinal, bytes[..written]);
    }

    /// <inheritdoc cref="SetText(BatchBuilder, int, string)"/>
    public static void SetText(this BatchBuilder row, int ordinal, ReadOnlySpan<byte> text)
    {
        text = text[..Math.Min(text.Length, MaxBytes)];
        if (row.Class.Columns[ordinal].Type == ColumnType.Dictionary)
            row.TrySetDictionary(ordinal, text);
        else
            row.TrySetString(ordinal, text);
    }
}
