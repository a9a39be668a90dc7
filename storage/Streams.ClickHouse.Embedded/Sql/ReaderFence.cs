using System.Collections.Frozen;
using System.Text;
using Streams.ClickHouse.Embedded.Engine;

namespace Streams.ClickHouse.Embedded.Sql;

/// <summary>
/// What a user who may only read may say. The engine's <c>readonly=1</c> refuses every write, table functions that reach files, hosts and
/// programs, and changed settings; what it leaves open is refused here: the scalar function <c>file</c>, functions that name a table in a
/// string, tables of <c>system</c> that tell of others, and KILL. Words are compared, not meanings: too much is refused rather than too little.
/// </summary>
internal static class ReaderFence
{
    private const StringComparison AnyCase = StringComparison.OrdinalIgnoreCase;

    private static readonly FrozenSet<string> First = Set("SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS");

    private static readonly FrozenSet<string> Shown =
        Set("TABLES", "DATABASES", "COLUMNS", "FIELDS", "CREATE", "INDEX", "INDEXES", "INDICES", "KEYS", "FULL", "FUNCTIONS");

    private static readonly FrozenSet<string> Functions = Set(
        "file", "merge", "loop", "dictionary", "joinGet", "joinGetOrNull", "mergeTreeIndex", "mergeTreeProjection", "mergeTreeAnalyzeIndexes",
        "url", "remote", "remoteSecure", "cluster", "clusterAllReplicas", "executable", "python", "s3", "input");

    private static readonly FrozenSet<string> SystemTables = Set(
        "one", "numbers", "numbers_mt", "zeros", "zeros_mt", "tables", "columns", "databases", "parts", "parts_columns", "merges", "mutations",
        "disks", "functions", "formats", "table_functions", "table_engines", "data_type_families", "time_zones", "metrics",
        "asynchronous_metrics", "events", "settings");

    private static readonly FrozenSet<string> Settings = Set(
        "max_execution_time", "max_threads", "max_memory_usage", "max_result_rows", "max_result_bytes", "result_overflow_mode", "max_rows_to_read",
        "max_bytes_to_read", "read_overflow_mode", "max_block_size", "join_use_nulls", "session_timezone", "extremes", "limit", "offset",
        "enable_http_compression", "http_zlib_compression_level", "http_wait_end_of_query", "send_progress_in_http_headers", "log_comment",
        "output_format_json_quote_64bit_integers", "output_format_json_quote_denormals", "output_format_json_quote_decimals",
        "output_format_pretty_color", "output_format_pretty_max_rows", "output_format_binary_write_json_as_string", "input_format_binary_read_json_as_string",
        "date_time_output_format");

    /// <summary>Null when the statement may run under <c>readonly=1</c>.</summary>
    public static EngineError? Check(ReadOnlySpan<byte> sql, string? database, IReadOnlyList<QueryParameter> settings)
    {
        if (string.Equals(database, "system", AnyCase))
            return Refused("the database 'system' cannot be used as the current one");
        foreach (var setting in settings)
        {
            if (!Settings.Contains(setting.Name))
                return EngineError.Raise(EngineError.ReadOnly, "READONLY", $"Cannot modify '{setting.Name}' setting in readonly mode.");
        }

        var lexer = new SqlLexer(sql);
        SqlToken before = default, last = default;
        for (var token = lexer.Next(); token.Kind != SqlTokenKind.End; token = lexer.Next())
        {
            if (last.Kind == SqlTokenKind.End && token.Kind != SqlTokenKind.Open && !(token.Kind == SqlTokenKind.Word && First.Contains(Text(sql, token))))
                return EngineError.Raise(EngineError.ReadOnly, "READONLY", "Cannot execute query in readonly mode: this user may only read.");
            if (Judge(sql, before, last, token) is { } error)
                return error;
            (before, last) = (last, token);
        }

        return null;
    }

    private static EngineError? Judge(ReadOnlySpan<byte> sql, in SqlToken before, in SqlToken last, in SqlToken token)
    {
        var bytes = sql.Slice(token.Start, token.Length);
        if (token.Kind is SqlTokenKind.Word or SqlTokenKind.Other && (!Ascii.IsValid(bytes) || bytes[0] < ' '))
            return Refused("characters that are not ASCII are allowed in strings and quoted names only");
        if (token.Kind == SqlTokenKind.QuotedName && bytes.Contains((byte)'\\'))
            return Refused("a quoted name with a backslash");
        var name = Name(sql, last);
        if (token.Kind == SqlTokenKind.Open && sql[token.Start] == '(' && Functions.Contains(name))
            return Refused($"function {name}");
        // {name:Identifier} would bring in a name that is not in the text.
        if (token.Kind == SqlTokenKind.Word && token.Depth > 0 && Text(sql, token).Equals("Identifier", AnyCase))
            return Refused("parameters of type Identifier");
        if (token.Kind is SqlTokenKind.Word or SqlTokenKind.QuotedName && last.Kind == SqlTokenKind.Dot
            && Name(sql, before).Equals("system", AnyCase) && !SystemTables.Contains(Name(sql, token)))
            return Refused($"table system.{Name(sql, token)}");
        return last.Kind == SqlTokenKind.Word && before.Kind == SqlTokenKind.End && name.Equals("SHOW", AnyCase) && !Shown.Contains(Name(sql, token))
            ? Refused($"SHOW {Name(sql, token)}") : null;
    }

    private static EngineError Refused(string what) => EngineError.Raise(EngineError.AccessDenied, "ACCESS_DENIED", $"Not enough privileges: {what}");

    private static string Name(ReadOnlySpan<byte> sql, in SqlToken token) => token.Kind switch
    {
        SqlTokenKind.Word => Text(sql, token),
        SqlTokenKind.QuotedName when token.Length >= 2 => Encoding.UTF8.GetString(sql.Slice(token.Start + 1, token.Length - 2)),
        _ => "",
    };

    private static string Text(ReadOnlySpan<byte> sql, in SqlToken token) => Encoding.UTF8.GetString(sql.Slice(token.Start, token.Length));

    private static FrozenSet<string> Set(params ReadOnlySpan<string> words) => FrozenSet.Create(StringComparer.OrdinalIgnoreCase, words);
}
