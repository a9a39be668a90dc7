using System.Runtime.InteropServices;

namespace Streams.ClickHouse.Embedded.Engine;

/// <summary>Owns one result of libchdb.</summary>
internal sealed unsafe class ChdbResultHandle : SafeHandle
{
    public ChdbResultHandle(nint result)
        : base(0, ownsHandle: true) => SetHandle(result);

    public override bool IsInvalid => handle == 0;

    public EngineError? Error
    {
        get
        {
            if (IsInvalid)
                return new EngineError(EngineError.LogicalError, "The engine returned no result.");
            var text = Interop.Chdb.chdb_result_error(handle);
            return text == null ? null : EngineError.Parse(Marshal.PtrToStringUTF8((nint)text) ?? "");
        }
    }

    /// <summary>Valid until this handle is disposed.</summary>
    public ReadOnlySpan<byte> Output
    {
        get
        {
            var buffer = Interop.Chdb.chdb_result_buffer(handle);
            return buffer == null ? [] : new ReadOnlySpan<byte>(buffer, checked((int)Interop.Chdb.chdb_result_length(handle)));
        }
    }

    /// <summary>Only meaningful when <see cref="Error"/> is null.</summary>
    public QuerySummary Summary(TimeSpan elapsed) => new(
        Interop.Chdb.chdb_result_storage_rows_read(handle),
        Interop.Chdb.chdb_result_storage_bytes_read(handle),
        Interop.Chdb.chdb_result_rows_written(handle),
        Interop.Chdb.chdb_result_bytes_written(handle),
        Interop.Chdb.chdb_result_rows_read(handle),
        Interop.Chdb.chdb_result_bytes_read(handle),
        elapsed);

    protected override bool ReleaseHandle()
    {
        Interop.Chdb.chdb_destroy_query_result(handle);
        return true;
    }
}
