using System.Buffers;
using System.Text;

namespace Streams.ClickHouse.Embedded.Engine;

/// <summary>One request, ready for a connection: settings, database, statement.</summary>
internal sealed class QueryPlan
{
    public required byte[] Sql { get; init; }

    public required string Format { get; init; }

    public required IReadOnlyList<QueryParameter> Parameters { get; init; }

    /// <summary>Name and value from the URL; names were checked, values are quoted here.</summary>
    public required IReadOnlyList<QueryParameter> Settings { get; init; }

    public string? Database { get; init; }

    /// <summary>What a GET may do: settings yes, writes no, as in ClickHouse.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>What a user who may only read may do: neither, and no table functions that reach out.</summary>
    public bool Reader { get; init; }

    /// <summary>Finds the statement in system.processes. libchdb takes no query id, and comments are lost when parameters are bound.</summary>
    public string Marker { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Runs on a connection that nobody used before; blocks until the end.</summary>
    public EngineResult Run(ChdbConnection connection)
    {
        var settings = connection.Execute(SettingsStatement());
        if (settings.Error is not null)
            return settings;
        if (Database is not null)
        {
            var use = connection.Execute($"USE {Quote(Database, '`')}");
            if (use.Error is not null)
                return use;
        }

        return connection.Execute(Sql, Format, Parameters);
    }

    /// <summary>One statement for all settings: <c>readonly</c> among them forbids a second.</summary>
    internal string SettingsStatement()
    {
        // implicit_select is on in libchdb and off in ClickHouse's server. With use_top_k_dynamic_filtering the newest rows that meet a condition are sought by comparing each
        // row's time first and reading all that the condition needs for all of them; the tables' minmax indices leave out the same granules without it (docs/adr/0036).
        var text = new StringBuilder("SET implicit_select='0', use_top_k_dynamic_filtering='0'");
        var comment = "";
        foreach (var (name, value) in Settings)
        {
            if (name == "log_comment")
                comment = value + " ";
            else
                text.Append(", ").Append(name).Append('=').Append(Quote(value, '\''));
        }

        text.Append(", log_comment=").Append(Quote(comment + Marker, '\''));
        return text.Append(Reader ? ", readonly='1'" : ReadOnly ? ", readonly='2'" : "").ToString();
    }

    // Backslash and the quote itself are all that ends or changes a literal in ClickHouse's lexer.
    private static string Quote(string value, char quote) =>
        value.AsSpan().ContainsAny(Special)
            ? $"{quote}{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(quote.ToString(), $"\\{quote}", StringComparison.Ordinal)}{quote}"
            : $"{quote}{value}{quote}";

    private static readonly SearchValues<char> Special = SearchValues.Create("\\'`");
}
