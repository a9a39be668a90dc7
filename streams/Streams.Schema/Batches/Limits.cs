namespace Streams.Schema;

/// <summary>Every bound of a batch, in one place. A peer may rely on them: raising one is a new format version.</summary>
public static class Limits
{
    /// <summary>Rows of a batch.</summary>
    public const int MaxRows = 65_536;

    /// <summary>Bytes of the decoded body.</summary>
    public const int MaxDecodedBytes = 4 * 1024 * 1024;

    /// <summary>Bytes of a whole batch: header, ledger and stored body. A frame with its header, padding and tag stays below 256 KiB.</summary>
    public const int MaxStoredBytes = 255 * 1024;

    /// <summary>Columns that a batch may carry.</summary>
    public const int MaxColumns = 256;

    /// <summary>Columns that a class of this build may declare: one bit each in the builder's and the decoder's row mask.</summary>
    public const int MaxClassColumns = 64;

    /// <summary>Ledger entries of a batch; at least one is required.</summary>
    public const int MaxLedgerEntries = 4096;

    /// <summary>Causes of one ledger entry.</summary>
    public const int MaxLedgerCauses = 64;

    /// <summary>Bytes of one string.</summary>
    public const int MaxStringBytes = 64 * 1024;

    /// <summary>
    /// A decoded body up to this size can be stored even when it does not compress at all, with 16 KiB kept for the ledger
    /// (682 CPUs without loss).
    /// </summary>
    public const int SafeDecodedBytes = MaxStoredBytes - BatchHeader.Size - (16 * 1024);
}
