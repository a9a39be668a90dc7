namespace Streams.Storage;

/// <summary>Quoting.</summary>
internal static class Sql
{
    /// <summary>A string literal.</summary>
    internal static string Literal(string value) => $"'{value.Replace("\\", "\\\\").Replace("'", "\\'")}'";

    /// <summary>A quoted name.</summary>
    internal static string Identifier(string name) => $"`{name.Replace("\\", "\\\\").Replace("`", "\\`")}`";
}
