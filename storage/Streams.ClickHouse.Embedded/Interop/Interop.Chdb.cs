using System.Runtime.InteropServices;

namespace Streams.ClickHouse.Embedded;

// libchdb's C interface (chdb.h of 26.5). No function sets errno; errors travel inside the result.
internal static partial class Interop
{
    internal static unsafe partial class Chdb
    {
        /// <summary>Must be called before the first connection: .NET needs SIGSEGV for itself.</summary>
        [LibraryImport(Libraries.Chdb)]
        internal static partial void chdb_set_signal_handlers_enabled(int enabled);

        /// <returns>A pointer to the connection, or null when the engine could not open the path.</returns>
        [LibraryImport(Libraries.Chdb)]
        internal static partial nint* chdb_connect(int argc, byte** argv);

        /// <summary>Closing the last connection shuts the engine down.</summary>
        [LibraryImport(Libraries.Chdb)]
        internal static partial void chdb_close_conn(nint* connection);

        /// <returns>A result that must be destroyed; never null for an open connection.</returns>
        [LibraryImport(Libraries.Chdb)]
        internal static partial nint chdb_query_n(nint connection, byte* query, nuint queryLength, byte* format, nuint formatLength);

        /// <summary>Parameter values are bound by the engine, never put into the text by us; they live for this one call.</summary>
        [LibraryImport(Libraries.Chdb)]
        internal static partial nint chdb_query_with_params_n(
            nint connection, byte* query, nuint queryLength, byte* format, nuint formatLength,
            byte** names, nuint* nameLengths, byte** values, nuint* valueLengths, nuint count);

        [LibraryImport(Libraries.Chdb)]
        internal static partial void chdb_destroy_query_result(nint result);

        /// <returns>Null for an empty result.</returns>
        [LibraryImport(Libraries.Chdb)]
        internal static partial byte* chdb_result_buffer(nint result);

        [LibraryImport(Libraries.Chdb)]
        internal static partial nuint chdb_result_length(nint result);

        /// <returns>Null when the query succeeded. After an error the counters below hold garbage: do not read them.</returns>
        [LibraryImport(Libraries.Chdb)]
        internal static partial byte* chdb_result_error(nint result);

        [LibraryImport(Libraries.Chdb)]
        internal static partial ulong chdb_result_rows_read(nint result);

        [LibraryImport(Libraries.Chdb)]
        internal static partial ulong chdb_result_bytes_read(nint result);

        [LibraryImport(Libraries.Chdb)]
        internal static partial ulong chdb_result_storage_rows_read(nint result);

        [LibraryImport(Libraries.Chdb)]
        internal static partial ulong chdb_result_storage_bytes_read(nint result);

        [LibraryImport(Libraries.Chdb)]
        internal static partial ulong chdb_result_rows_written(nint result);

        [LibraryImport(Libraries.Chdb)]
        internal static partial ulong chdb_result_bytes_written(nint result);
    }
}
