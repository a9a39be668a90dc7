namespace Streams.Storage;

/// <summary>An aggregation that every part carries along, made with its rows and merged with them (docs/adr/0036).</summary>
/// <param name="Name">Unique in its table.</param>
/// <param name="Query">Without FROM, spelt as the server prints it.</param>
public sealed record TableProjection(string Name, string Query)
{
    /// <summary>As in CREATE TABLE.</summary>
    public override string ToString() => $"PROJECTION {Name} ({Query})";
}
