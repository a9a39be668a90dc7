using System.Buffers;

namespace Streams.ClickHouse.Embedded.Sql;

/// <summary>
/// Splits ClickHouse SQL as its own lexer does, as far as needed to find clauses at the outermost level: strings with backslash and
/// doubled quotes, quoted names, heredocs and comments are skipped whole. What is malformed goes to the engine, which names the error.
/// </summary>
internal ref struct SqlLexer(ReadOnlySpan<byte> text)
{
    private static readonly SearchValues<byte> WordBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"u8);

    private readonly ReadOnlySpan<byte> _text = text;
    private int _position;
    private int _depth;

    public SqlToken Next()
    {
        SkipSpaceAndComments();
        if (_position >= _text.Length)
            return new SqlToken(SqlTokenKind.End, _text.Length, 0, _depth);
        var start = _position;
        var depth = _depth;
        var kind = Scan(_text[start]);
        if (kind == SqlTokenKind.Close)
            depth = _depth;
        return new SqlToken(kind, start, _position - start, depth);
    }

    private SqlTokenKind Scan(byte first)
    {
        switch (first)
        {
            case (byte)'\'':
                SkipQuoted(first);
                return SqlTokenKind.Literal;
            case (byte)'"' or (byte)'`':
                SkipQuoted(first);
                return SqlTokenKind.QuotedName;
            case (byte)'(' or (byte)'[' or (byte)'{':
                _depth++;
                _position++;
                return SqlTokenKind.Open;
            case (byte)')' or (byte)']' or (byte)'}':
                _depth = Math.Max(0, _depth - 1);
                _position++;
                return SqlTokenKind.Close;
            case (byte)';':
                _position++;
                return SqlTokenKind.Semicolon;
            case (byte)'.':
                _position++;
                return SqlTokenKind.Dot;
            case (byte)'$' when SkipHeredoc():
                return SqlTokenKind.Literal;
            default:
                if (!WordBytes.Contains(first) && first < 0x80)
                {
                    _position++;
                    return SqlTokenKind.Other;
                }

                while (_position < _text.Length && (WordBytes.Contains(_text[_position]) || _text[_position] >= 0x80))
                    _position++;
                return char.IsAsciiDigit((char)first) ? SqlTokenKind.Literal : SqlTokenKind.Word;
        }
    }

    private void SkipSpaceAndComments()
    {
        while (_position < _text.Length)
        {
            var rest = _text[_position..];
            if (rest[0] <= (byte)' ')
                _position++;
            else if (rest.StartsWith("--"u8) || rest.StartsWith("# "u8) || rest.StartsWith("#!"u8))
                SkipThrough(rest, "\n"u8);
            else if (rest.StartsWith("/*"u8))
                SkipThrough(rest, "*/"u8);
            else
                return;
        }
    }

    private void SkipThrough(ReadOnlySpan<byte> rest, ReadOnlySpan<byte> end)
    {
        // The opening of a block comment must not count as its end: "/*/".
        var from = Math.Min(2, rest.Length);
        var at = rest[from..].IndexOf(end);
        _position = at < 0 ? _text.Length : _position + from + at + end.Length;
    }

    private void SkipQuoted(byte quote)
    {
        _position++;
        while (_position < _text.Length)
        {
            var at = _text[_position..].IndexOfAny(quote, (byte)'\\');
            if (at < 0)
                break;
            _position += at;
            if (_text[_position] == quote)
            {
                _position++;
                return; // A doubled quote begins another literal beside this one: the same places for our purpose.
            }

            _position += 2;
        }

        _position = _text.Length;
    }

    // $tag$ ... $tag$
    private bool SkipHeredoc()
    {
        var rest = _text[_position..];
        var length = rest[1..].IndexOfAnyExcept(WordBytes);
        if (length < 0 || rest[1 + length] != (byte)'$')
            return false;
        var tag = rest[..(length + 2)];
        var end = rest[tag.Length..].IndexOf(tag);
        if (end < 0)
            return false;
        _position += (2 * tag.Length) + end;
        return true;
    }
}
