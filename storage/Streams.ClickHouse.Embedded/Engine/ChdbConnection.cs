using System.Diagnostics;
using System.Text;

namespace Streams.ClickHouse.Embedded.Engine;

/// <summary>
/// One connection; one statement at a time. SET, USE and temporary tables outlive a statement, and after an error 26.5 gives the
/// output of the failed statement to the next one: so a connection serves one request and is closed (opening costs 0.15 ms).
/// </summary>
internal sealed unsafe class ChdbConnection(ChdbConnectionHandle handle) : IDisposable
{
    /// <summary>Blocks until the statement has ended; the output is copied, so it is for statements with little of it.</summary>
    public EngineResult Execute(ReadOnlySpan<byte> sql, string format, IReadOnlyList<QueryParameter>? parameters = null)
    {
        var started = Stopwatch.GetTimestamp();
        using var result = Run(sql, Encoding.UTF8.GetBytes(format), parameters);
        if (result.Error is { } error)
            return new EngineResult(error, [], default);
        return new EngineResult(null, result.Output.ToArray(), result.Summary(Stopwatch.GetElapsedTime(started)));
    }

    public EngineResult Execute(string sql, string format = "TabSeparated") => Execute(Encoding.UTF8.GetBytes(sql), format);

    public void Dispose() => handle.Dispose();

    private ChdbResultHandle Run(ReadOnlySpan<byte> sql, byte[] format, IReadOnlyList<QueryParameter>? parameters)
    {
        var counted = false;
        try
        {
            handle.DangerousAddRef(ref counted);
            fixed (byte* query = sql)
            fixed (byte* name = format)
            {
                return new ChdbResultHandle(parameters is { Count: > 0 }
                    ? RunWith(query, sql.Length, name, format.Length, parameters)
                    : Interop.Chdb.chdb_query_n(handle.Value, query, (nuint)sql.Length, name, (nuint)format.Length));
            }
        }
        finally
        {
            if (counted)
                handle.DangerousRelease();
        }
    }

    private nint RunWith(byte* query, int queryLength, byte* format, int formatLength, IReadOnlyList<QueryParameter> parameters)
    {
        using var names = new NativeStrings(parameters.Count);
        using var values = new NativeStrings(parameters.Count);
        foreach (var parameter in parameters)
        {
            names.Add(parameter.Name);
            values.Add(parameter.Value);
        }

        return Interop.Chdb.chdb_query_with_params_n(
            handle.Value, query, (nuint)queryLength, format, (nuint)formatLength,
            names.Pointers, names.Lengths, values.Pointers, values.Lengths, (nuint)parameters.Count);
    }
}
