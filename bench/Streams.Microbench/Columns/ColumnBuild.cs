using BenchmarkDotNet.Attributes;
using Streams.Microbench.Mix;
using Streams.Schema;

namespace Streams.Microbench.Columns;

/// <summary>Rows appended to the columns of their class, as the agent's reader thread does with each record: 1,000 rows, then the builder starts again.</summary>
public class ColumnBuild
{
    private const int Rows = 1000;

    private readonly BatchCompressor _compressor = new();
    private BatchBuilder _exec = null!;
    private BatchBuilder _connect = null!;
    private RowSource _rows = null!;

    [GlobalSetup]
    public void Open()
    {
        _exec = new BatchBuilder(ProcessClasses.Exec, null, _compressor);
        _connect = new BatchBuilder(NetworkClasses.Connect, null, _compressor);
        _rows = new RowSource();
    }

    [GlobalCleanup]
    public void Close()
    {
        _exec.Dispose();
        _connect.Dispose();
        _compressor.Dispose();
    }

    [Benchmark(OperationsPerInvoke = Rows)]
    public long ExecRow()
    {
        _exec.Reset();
        for (var row = 0; row < Rows; row++)
        {
            _rows.AppendExec(_exec, row);
        }

        return _exec.RowCount;
    }

    [Benchmark(OperationsPerInvoke = Rows)]
    public long ConnectRow()
    {
        _connect.Reset();
        for (var row = 0; row < Rows; row++)
        {
            _rows.AppendConnect(_connect, row);
        }

        return _connect.RowCount;
    }
}
