namespace Streams.Schema;

/// <summary>The ledger of a decoded batch; its arrays are reused by the next one.</summary>
public sealed class DecodedLedger
{
    private LedgerEntry[] _entries = new LedgerEntry[8];
    private LossCount[] _losses = new LossCount[8];
    private int _entryCount;

    public ReadOnlySpan<LedgerEntry> Entries => _entries.AsSpan(0, _entryCount);

    internal int LossCount { get; private set; }

    /// <summary>The losses of one of <see cref="Entries"/>, as sent: unknown causes are not mapped, causes may repeat.</summary>
    public ReadOnlySpan<LossCount> Losses(in LedgerEntry entry) => _losses.AsSpan(entry.LossStart, entry.LossLength);

    /// <summary>Reads the ledger of a batch whose rows are not looked at.</summary>
    /// <param name="source">Exactly the ledger's bytes.</param>
    /// <returns>False when it is not what the header says; the content is then undefined.</returns>
    public bool TryRead(ReadOnlySpan<byte> source, in BatchHeader header) =>
        LedgerCodec.Read(source, header, this).Kind == BatchErrorKind.None;

    internal void Clear()
    {
        _entryCount = 0;
        LossCount = 0;
    }

    internal void AddEntry(in LedgerEntry entry)
    {
        if (_entryCount == _entries.Length)
        {
            Array.Resize(ref _entries, _entryCount * 2);
        }

        _entries[_entryCount++] = entry;
    }

    internal void AddLoss(in LossCount loss)
    {
        if (LossCount == _losses.Length)
        {
            Array.Resize(ref _losses, LossCount * 2);
        }

        _losses[LossCount++] = loss;
    }
}
