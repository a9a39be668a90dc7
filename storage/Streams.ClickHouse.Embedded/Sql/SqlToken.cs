namespace Streams.ClickHouse.Embedded.Sql;

internal enum SqlTokenKind : byte
{
    End,
    Word,
    QuotedName,
    Literal,
    Open,
    Close,
    Dot,
    Semicolon,
    Other,
}

/// <summary>A piece of a statement by place; <see cref="Depth"/> counts the brackets around it (an opening one is outside itself).</summary>
internal readonly record struct SqlToken(SqlTokenKind Kind, int Start, int Length, int Depth)
{
    public int End => Start + Length;
}
