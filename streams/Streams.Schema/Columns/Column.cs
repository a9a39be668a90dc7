namespace Streams.Schema;

/// <summary>One column of an event class. Ids are never reused and types never change; the default of a missing column is zero or empty.</summary>
/// <param name="since">Version of the class that brought it: batches of an earlier one do not carry it.</param>
public sealed class Column(ushort id, string name, ColumnType type, string description, ushort since = 1)
{
    /// <summary>Id inside the class; 1-15 are claim columns, class columns start at 16.</summary>
    public ushort Id { get; } = id;

    /// <summary>Name in SQL and in the JSON encoding.</summary>
    public string Name { get; } = name;

    public ColumnType Type { get; } = type;

    public string Description { get; } = description;

    /// <summary>Version of the class that brought it.</summary>
    public ushort Since { get; } = since;

    public override string ToString() => $"{Name} {Type} ({Id})";
}
