using System.Text;
using Streams.ClickHouse.Embedded.Engine;

namespace Streams.ClickHouse.Embedded.Sql;

/// <summary>One pass over the outermost tokens of a statement.</summary>
internal ref struct StatementParser
{
    private readonly ReadOnlySpan<byte> _sql;
    private SqlLexer _lexer;
    private SqlToken _token;

    public StatementParser(ReadOnlySpan<byte> sql)
    {
        _sql = sql;
        _lexer = new SqlLexer(sql);
        _token = _lexer.Next();
    }

    public Statement Parse()
    {
        if (_token.Kind is SqlTokenKind.End or SqlTokenKind.Semicolon)
            return new Statement(StatementKind.Empty);
        if (Is("INSERT"u8))
            return ParseInsert();
        if (Is("DROP"u8) || Is("DETACH"u8))
            return ParseDrop();
        return ParseRest(_token.Kind == SqlTokenKind.Open || IsOutput(_token) ? StatementKind.Output : StatementKind.Plain);
    }

    private Statement ParseInsert()
    {
        Advance();
        if (Is("INTO"u8))
            Advance();
        if (Is("TABLE"u8) || Is("FUNCTION"u8))
            Advance();
        SkipName();
        var settings = -1;
        while (_token.Kind != SqlTokenKind.End)
        {
            if (_token.Depth == 0 && _token.Kind == SqlTokenKind.Word)
            {
                if (Is("SETTINGS"u8) && settings < 0)
                    settings = _token.Start;
                else if (Is("VALUES"u8))
                    return new Statement(StatementKind.InsertData, settings < 0 ? _token.Start : settings, _token.End, "Values", IsValues: true, TailStart: _token.Start);
                else if (Is("FORMAT"u8))
                    return ParseInsertFormat(settings);
                else if (Is("FROM"u8))
                    return Next("INFILE"u8) ? NoFiles("FROM INFILE") : ParseRest(StatementKind.Plain);
                else if (Is("SELECT"u8) || Is("WITH"u8))
                    return ParseRest(StatementKind.Plain);
            }
            else if (_token.Kind == SqlTokenKind.Open && _token.Depth == 0 && (Next("SELECT"u8) || Is("WITH"u8)))
            {
                return ParseRest(StatementKind.Plain);
            }

            Advance();
        }

        return new Statement(StatementKind.Plain);
    }

    private Statement ParseDrop()
    {
        SqlToken last = default;
        var words = 0;
        var isDatabase = false;
        for (; _token.Kind is not (SqlTokenKind.End or SqlTokenKind.Semicolon); Advance())
        {
            if (Is("OUTFILE"u8) && IsWord(last, "INTO"u8))
                return NoFiles("INTO OUTFILE");
            last = _token;
            isDatabase |= words++ == 1 && Is("DATABASE"u8);
            if (isDatabase && words > 2 && (Is("default"u8) || (_token.Kind == SqlTokenKind.QuotedName && Text(_token)[1..^1] == "default")))
                return Statement.Refused(EngineError.SupportIsDisabled, "SUPPORT_IS_DISABLED", "The database 'default' cannot be dropped: the engine opens no connection without it");
        }

        var rest = ParseRest(StatementKind.Plain);
        return IsWord(last, "SYNC"u8) ? rest with { SyncStart = last.Start } : rest;
    }

    private Statement ParseInsertFormat(int settings)
    {
        var format = _token.Start;
        Advance();
        if (_token.Kind != SqlTokenKind.Word)
            return new Statement(StatementKind.Plain);
        // ClickHouse skips blanks and one line break between the name and the rows; everything after that is data.
        var data = _token.End;
        while (data < _sql.Length && _sql[data] is (byte)' ' or (byte)'\t' or (byte)'\f')
            data++;
        if (data < _sql.Length && _sql[data] == '\r')
            data++;
        if (data < _sql.Length && _sql[data] == '\n')
            data++;
        return new Statement(StatementKind.InsertData, settings < 0 ? format : settings, data, Text(_token), TailStart: format);
    }

    /// <summary>Reads to the end for the trailing FORMAT clause, and refuses what the HTTP interface does not have.</summary>
    private Statement ParseRest(StatementKind kind)
    {
        SqlToken previous = default, last = default, format = default, formatName = default;
        while (_token.Kind is not (SqlTokenKind.End or SqlTokenKind.Semicolon))
        {
            if (_token.Kind == SqlTokenKind.Word && _token.Depth == 0)
            {
                if (Is("OUTFILE"u8) && IsWord(previous, "INTO"u8))
                    return NoFiles("INTO OUTFILE");
                if (Is("INSERT"u8) && previous.Kind == SqlTokenKind.Close)
                    kind = StatementKind.Plain; // WITH x AS (...) INSERT INTO ... SELECT
                // FORMAT name [SETTINGS ...] ends a statement; anything else after the name means it was a column.
                if (IsWord(previous, "FORMAT"u8))
                    (format, formatName) = (previous, _token);
                else if (formatName.Length > 0 && previous == formatName && !Is("SETTINGS"u8))
                    (format, formatName) = (default, default);
            }
            else if (formatName.Length > 0 && previous == formatName)
            {
                (format, formatName) = (default, default);
            }
            else if (_token.Kind == SqlTokenKind.Open && kind == StatementKind.Plain && _token.Depth == 0 && IsWord(previous, "input"u8))
            {
                return Statement.Refused(EngineError.NotImplemented, "NOT_IMPLEMENTED", "INSERT ... SELECT FROM input() is not supported by streams-clickhouse; insert into a table and select from it");
            }

            previous = last = _token;
            Advance();
        }

        if (_token.Kind == SqlTokenKind.Semicolon)
        {
            Advance();
            if (_token.Kind != SqlTokenKind.End)
                return Statement.Refused(EngineError.SyntaxError, "SYNTAX_ERROR", $"Syntax error (Multi-statements are not allowed): failed at position {last.End + 1} (end of query)");
        }

        var splice = formatName.Length > 0 ? format.Start : last.End;
        return new Statement(kind, splice, _sql.Length, formatName.Length > 0 ? Text(formatName) : null, TailStart: splice);
    }

    private static Statement NoFiles(string clause) =>
        Statement.Refused(EngineError.SupportIsDisabled, "SUPPORT_IS_DISABLED", $"{clause} is a clause of command line clients and not allowed over HTTP");

    // name, database.name, {name:Identifier}, function(...)
    private void SkipName()
    {
        SkipPart();
        while (_token.Kind == SqlTokenKind.Dot)
        {
            Advance();
            SkipPart();
        }
    }

    private void SkipPart()
    {
        if (_token.Kind == SqlTokenKind.Open)
        {
            while (_token.Kind is not (SqlTokenKind.Close or SqlTokenKind.End) || (_token.Kind == SqlTokenKind.Close && _token.Depth > 0))
                Advance();
        }

        Advance();
    }

    private void Advance() => _token = _lexer.Next();

    private bool Next(ReadOnlySpan<byte> word)
    {
        Advance();
        return Is(word);
    }

    private readonly bool Is(ReadOnlySpan<byte> word) => IsWord(_token, word);

    private readonly bool IsWord(SqlToken token, ReadOnlySpan<byte> word) =>
        token.Kind == SqlTokenKind.Word && Ascii.EqualsIgnoreCase(_sql.Slice(token.Start, token.Length), word);

    private readonly bool IsOutput(SqlToken token) =>
        IsWord(token, "SELECT"u8) || IsWord(token, "WITH"u8) || IsWord(token, "SHOW"u8) || IsWord(token, "DESCRIBE"u8) || IsWord(token, "DESC"u8)
        || IsWord(token, "EXPLAIN"u8) || IsWord(token, "EXISTS"u8) || IsWord(token, "CHECK"u8) || IsWord(token, "FROM"u8) || IsWord(token, "KILL"u8);

    private readonly string Text(SqlToken token) => Encoding.UTF8.GetString(_sql.Slice(token.Start, token.Length));
}
