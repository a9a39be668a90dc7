namespace Streams.Storage;

/// <summary><c>schema_version</c>: what was changed, when and by whom.</summary>
public static class VersionTable
{
    public const string Name = "schema_version";

    public const string CreateStatement = """
        CREATE TABLE IF NOT EXISTS schema_version
        (
            version UInt32 COMMENT 'version of the storage schema',
            catalogue UInt16 COMMENT 'version of the class catalogue',
            applied_at DateTime64(6, 'UTC') COMMENT 'when',
            owner String COMMENT 'process that migrated',
            change String COMMENT 'statement that was run'
        )
        ENGINE = MergeTree ORDER BY applied_at
        SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
        """;
}
