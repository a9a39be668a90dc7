namespace Streams.Storage;

/// <summary>A column as the table has it.</summary>
/// <param name="Name">Name in SQL.</param>
/// <param name="Type">Type as DESCRIBE prints it.</param>
/// <param name="Codec">Compression codec as DESCRIBE prints it, empty for the server's default (LZ4).</param>
/// <param name="Comment">What it means, shown by DESCRIBE.</param>
public sealed record TableColumn(string Name, string Type, string Codec, string Comment);
