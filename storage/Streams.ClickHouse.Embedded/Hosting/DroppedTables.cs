namespace Streams.ClickHouse.Embedded.Hosting;

/// <summary>
/// Removes what dropped tables left. ClickHouse's server does that in the background after 8 minutes; libchdb 26.5 notes the drop
/// (a file metadata_dropped/DATABASE.TABLE.UUID.sql) and never comes back to it. Runs while the directory is ours and the engine is not up yet.
/// </summary>
internal static class DroppedTables
{
    private const int UuidLength = 36;

    public static void Remove(string data)
    {
        var notes = new DirectoryInfo(Path.Combine(data, "metadata_dropped"));
        if (!notes.Exists)
            return;
        foreach (var note in notes.EnumerateFiles("*.sql"))
        {
            var name = Path.GetFileNameWithoutExtension(note.Name);
            if (name.Length <= UuidLength || !Guid.TryParseExact(name[^UuidLength..], "D", out _))
                continue;
            var uuid = name[^UuidLength..];
            try
            {
                var table = Path.Combine(data, "store", uuid[..3], uuid);
                if (Directory.Exists(table))
                    Directory.Delete(table, recursive: true);
                // The note goes last: a crash in between leaves work for the next start, never an orphan.
                note.Delete();
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // Space that stays used is no reason not to serve; the note remains.
                Console.Error.WriteLine($"streams-clickhouse: files of a dropped table stay: {fault.Message}");
            }
        }
    }
}
