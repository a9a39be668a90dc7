namespace Streams.Storage;

/// <summary>
/// Rows of one table, to be written as one block of ClickHouse's Native format (HTTP, revision 0: no BlockInfo): varuint columns,
/// varuint rows, then per column its name, its type and its data. Encoding can be repeated and gives the same bytes.
/// </summary>
public abstract class NativeBlock
{
    protected NativeBlock(TableDefinition table)
    {
        Table = table;
        ColumnList = string.Join(", ", table.Columns.Select(c => c.Name));
    }

    public TableDefinition Table { get; }

    /// <summary>The columns of the insert, in the order of the block: never rely on the order of the table.</summary>
    public string ColumnList { get; }

    public abstract int Rows { get; }

    /// <summary>Writes the block to a stream, one column at a time through <paramref name="buffer"/>, which must be empty.</summary>
    public async Task WriteToAsync(Stream stream, SegmentedBuffer buffer, CancellationToken cancellation)
    {
        EncodeHead(buffer);
        for (var i = 0; i < Table.Columns.Count; i++)
        {
            EncodeColumnWithName(i, buffer);
            await buffer.DrainToAsync(stream, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Encodes the whole block into the buffer.</summary>
    public void Encode(SegmentedBuffer buffer)
    {
        EncodeHead(buffer);
        for (var i = 0; i < Table.Columns.Count; i++)
        {
            EncodeColumnWithName(i, buffer);
        }
    }

    /// <summary>Encodes the data of a column.</summary>
    protected abstract void EncodeColumn(int ordinal, SegmentedBuffer buffer);

    private void EncodeHead(SegmentedBuffer buffer)
    {
        buffer.WriteVaruint((ulong)Table.Columns.Count);
        buffer.WriteVaruint((ulong)Rows);
    }

    private void EncodeColumnWithName(int ordinal, SegmentedBuffer buffer)
    {
        var column = Table.Columns[ordinal];
        buffer.WriteString(column.Name);
        buffer.WriteString(column.Type);
        if (Rows > 0)
        {
            EncodeColumn(ordinal, buffer);
        }
    }
}
