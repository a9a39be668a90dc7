using Streams.Schema;

namespace Streams.Storage;

/// <summary>All tables and views of this build.</summary>
public static class StorageSchema
{
    /// <summary>Raised when a table that is not a class's changes, or how tables are stored.</summary>
    public const int Version = 8;

    /// <summary>The tables with the retention of the installation, in the order they are made.</summary>
    public static IReadOnlyList<TableDefinition> Tables(StorageOptions options) =>
    [
        .. Catalogue.Classes.Select(c => ClassTable.For(c).WithRetention(
            // A proof of what was there is wanted longest when the rows are gone.
            c == LedgerClasses.BatchProof ? options.LedgerRetentionDays
            // The fleet's identities are made from these rows again: an agent that was let in years ago too.
            : c == ServerClasses.AgentIdentity ? 0
            : options.RetentionDays)),
        DeadLetterTable.Definition.WithRetention(options.RetentionDays),
        StoredBatchTable.Definition.WithRetention(options.RetentionDays),
        LedgerTable.Definition.WithRetention(options.LedgerRetentionDays),
        LedgerStateTable.Definition.WithRetention(options.LedgerRetentionDays),
    ];

    /// <summary>Statements that make the views, always run again: a view holds no data.</summary>
    public static IReadOnlyList<string> Views { get; } = [BalanceView.CreateStatement, LossView.CreateStatement];
}
