using Streams.Control.Commands;

namespace Streams.Agent.Modules.Core.Commands;

/// <summary>One remembered command.</summary>
internal sealed class JournalEntry(CommandId id, byte[] digest, CommandSigner signer, ulong issuedAt, ulong deadline)
{
    public CommandId Id { get; } = id;

    /// <summary>Of the document that was begun under the id.</summary>
    public byte[] Digest { get; } = digest;

    public CommandSigner Signer { get; } = signer;

    public ulong IssuedAt { get; } = issuedAt;

    /// <summary>µs since 1970.</summary>
    public ulong Deadline { get; } = deadline;

    /// <summary>True once a result is in the journal.</summary>
    public bool HasEnded { get; set; }

    /// <summary>Where the result is in the file; 0 while there is none.</summary>
    public long ResultAt { get; set; }

    /// <summary>Its length; 0 when it was dropped to keep the file small.</summary>
    public int ResultLength { get; set; }
}
