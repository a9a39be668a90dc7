using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Streams.ClickHouse.Embedded.Sql;

namespace Streams.ClickHouse.Embedded.Http;

/// <summary>Puts the file clauses into a statement. What stands before them stays byte for byte, comments included: others look for them in system.processes.</summary>
internal static class Splice
{
    /// <summary>Rows from a file: the clause stands before SETTINGS and FORMAT, the only place where the engine reads both.</summary>
    public static byte[] Insert(ReadOnlySpan<byte> sql, Statement statement, string path)
    {
        var tail = statement.IsValues ? sql[statement.Splice..statement.TailStart] : sql[statement.Splice..statement.DataStart];
        var clause = Encoding.UTF8.GetBytes($" FROM INFILE '{path}' ");
        return [.. sql[..statement.Splice], .. clause, .. tail, .. statement.IsValues ? " FORMAT Values"u8 : default];
    }

    /// <summary>Rows into a pipe: APPEND because the path exists already.</summary>
    public static byte[] Output(ReadOnlySpan<byte> sql, Statement statement, SafeFileHandle pipe, string format)
    {
        var clause = string.Create(CultureInfo.InvariantCulture, $" INTO OUTFILE '/proc/self/fd/{pipe.DangerousGetHandle()}' APPEND ");
        if (statement.Format is null)
            clause += $"FORMAT {format} ";
        return [.. sql[..statement.Splice], .. Encoding.UTF8.GetBytes(clause), .. sql[statement.Splice..]];
    }
}
