using Streams.ClickHouse.Embedded.Engine;

namespace Streams.ClickHouse.Embedded.Sql;

internal enum StatementKind
{
    /// <summary>Nothing but space and comments.</summary>
    Empty,

    /// <summary>Gives rows; an INTO OUTFILE clause may be put in at <see cref="Statement.Splice"/>.</summary>
    Output,

    /// <summary>INSERT whose rows follow from <see cref="Statement.DataStart"/> on; FROM INFILE may be put in at <see cref="Statement.Splice"/>.</summary>
    InsertData,

    /// <summary>Everything else: DDL, SET, INSERT ... SELECT.</summary>
    Plain,
}

/// <summary>What the front of a request says it is, found without parsing expressions.</summary>
internal readonly record struct Statement(
    StatementKind Kind, int Splice = 0, int DataStart = 0, string? Format = null, bool IsValues = false, int TailStart = 0,
    int SyncStart = -1, EngineError? Error = null)
{
    public static Statement Refused(int code, string name, string text) => new(StatementKind.Plain, Error: EngineError.Raise(code, name, text));

    /// <summary>
    /// libchdb 26.5 never runs the task that removes dropped tables, so <c>DROP TABLE t SYNC</c> would wait for ever and could not be
    /// killed. The word is blanked: the table is gone at once either way, its files go at the next start.
    /// </summary>
    public void BlankSync(Span<byte> sql)
    {
        if (SyncStart >= 0)
            sql.Slice(SyncStart, "SYNC".Length).Fill((byte)' ');
    }

    public static Statement Parse(ReadOnlySpan<byte> sql) => new StatementParser(sql).Parse();
}
