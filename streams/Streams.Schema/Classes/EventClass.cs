namespace Streams.Schema;

/// <summary>
/// A kind of row, declared once. The column builder, the batch encoding, the decoder, the ClickHouse table and the reference page
/// all follow from this object.
/// </summary>
public sealed class EventClass
{
    private readonly Dictionary<string, int> _ordinals;
    private readonly Dictionary<ushort, int> _ordinalsById;

    /// <param name="columns">The class's own columns, ids from 16; the claim columns are put before them.</param>
    /// <exception cref="ArgumentException">The declaration breaks a rule (duplicate id or name, id below 16, too many columns).</exception>
    public EventClass(
        ushort id,
        string name,
        ushort version,
        PriorityClass priority,
        string channel,
        EventProducer producer,
        string description,
        params ReadOnlySpan<Column> columns)
    {
        if (ClaimColumns.Count + columns.Length > Limits.MaxClassColumns)
        {
            throw new ArgumentException($"class {name}: more than {Limits.MaxClassColumns} columns");
        }

        Id = id;
        Name = name;
        Version = version;
        Priority = priority;
        Channel = channel;
        Producer = producer;
        Description = description;
        Columns = [.. ClaimColumns.All, .. columns];
        Catalogues = [.. Enumerable.Repeat((ushort)1, version)];
        OrdinalsById = [.. Enumerable.Range(0, Columns.Count).OrderBy(i => Columns[i].Id)];
        _ordinals = new Dictionary<string, int>(Columns.Count, StringComparer.Ordinal);
        _ordinalsById = new Dictionary<ushort, int>(Columns.Count);
        for (var i = 0; i < Columns.Count; i++)
        {
            var column = Columns[i];
            if (i >= ClaimColumns.Count && column.Id < ClaimColumns.FirstClassColumnId)
            {
                throw new ArgumentException($"class {name}: column {column.Name} has id {column.Id}, ids of classes start at 16");
            }

            if (ServerColumns.All.Any(server => server.Name == column.Name))
            {
                throw new ArgumentException($"class {name}: the server has a column {column.Name} of its own");
            }

            if (!_ordinals.TryAdd(column.Name, i) || !_ordinalsById.TryAdd(column.Id, i))
            {
                throw new ArgumentException($"class {name}: column {column} repeats a name or an id");
            }
        }
    }

    public ushort Id { get; }

    /// <summary>Name of the class, of its table and of its rows in JSON.</summary>
    public string Name { get; }

    /// <summary>Raised with every added column.</summary>
    public ushort Version { get; }

    public PriorityClass Priority { get; }

    /// <summary>The specification's channel that carries the class.</summary>
    public string Channel { get; }

    public string Description { get; }

    public EventProducer Producer { get; }

    /// <summary>Claim columns first, then the class's own, in the order of the table. The index in this list is the column's ordinal.</summary>
    public IReadOnlyList<Column> Columns { get; }

    /// <summary>The ordinals in the order of the columns' ids, which is the order of the digest.</summary>
    public IReadOnlyList<int> OrdinalsById { get; }

    /// <summary>The catalogue that brought each version of the class, the first version's first.</summary>
    public IReadOnlyList<ushort> Catalogues { get; init; }

    /// <summary>The class's version in a catalogue; 0 when the catalogue does not have the class.</summary>
    public ushort VersionIn(ushort catalogue)
    {
        var version = Catalogues.Count;
        while (version > 0 && Catalogues[version - 1] > catalogue)
        {
            version--;
        }

        return (ushort)version;
    }

    /// <summary>Ordinal of a column by name; call it once at start, not per row.</summary>
    /// <exception cref="ArgumentException">The class has no such column.</exception>
    public int OrdinalOf(string column) =>
        _ordinals.TryGetValue(column, out var ordinal) ? ordinal : throw new ArgumentException($"class {Name} has no column {column}");

    /// <summary>Ordinal of a column by id; false for an id that this build does not know.</summary>
    public bool TryGetOrdinal(ushort columnId, out int ordinal) => _ordinalsById.TryGetValue(columnId, out ordinal);

    public override string ToString() => $"{Name} v{Version} ({Id})";
}
