using System.Collections.Concurrent;
using System.Globalization;
using Streams.Schema;
using Streams.Storage;
using Streams.Worker.Admission;
using Streams.Worker.Decode;

namespace Streams.Worker.Commit;

/// <summary>The tables in ClickHouse: merges batches into Native blocks, and asks back what is there.</summary>
/// <param name="beforeSend">Called between the last look at the leases and the first byte; only tests stop there.</param>
internal sealed class ClickHouseBatchStore(StorageClient client, StorageMetrics metrics, string owner, Action? beforeSend = null)
    : IBatchStore, IDisposable
{
    private readonly TableInserter _inserter = new(client, metrics);
    private readonly StorageReader _reader = new(client);
    private readonly DiskSpace _space = new(client, TimeProvider.System);
    private readonly ConcurrentDictionary<ushort, ConcurrentBag<ClassBlock>> _blocks = new();
    private readonly ConcurrentBag<LedgerBlock> _ledgers = [];
    private readonly ConcurrentBag<DeadLetterBlock> _letters = [];
    private readonly ConcurrentBag<SegmentedBuffer> _buffers = [];

    public async Task<InsertOutcome> InsertAsync(
        InsertTarget target, IReadOnlyList<PendingBatch> batches, string token, long serial, bool repeated, CancellationToken cancel)
    {
        var label = new InsertLabel(owner, serial);
        return target.Class is { } eventClass
            ? await InsertRowsAsync(eventClass, batches, token, label, repeated, cancel).ConfigureAwait(false)
            : target.IsDeadLetter
                ? await InsertLettersAsync(batches, token, label, repeated, cancel).ConfigureAwait(false)
                : await InsertLedgerAsync(batches, token, label, repeated, cancel).ConfigureAwait(false);
    }

    /// <remarks>Only this one insert: killing all of this owner's would put the others in doubt too.</remarks>
    public async Task KillAsync(long serial, CancellationToken cancel) => await client.QueryAsync(
        $"KILL QUERY WHERE query LIKE '{new InsertLabel(owner, serial).Comment}%' SYNC", static _ => 0, cancel).ConfigureAwait(false);

    public async Task<bool[]> ReadBackAsync(InsertTarget target, IReadOnlyList<PendingBatch> batches, CancellationToken cancel)
    {
        var runs = BatchNames.Runs(batches);
        var found = (await _reader.FindAsync(target.Table, runs, target.Revision, cancel).ConfigureAwait(false))
            .ToDictionary(static stored => (new LaneKey(stored.AgentId, stored.Epoch, stored.Lane), stored.Batch));
        if (found.Count > 0)
        {
            await _reader.ReadAsync(target.Table, runs, target.Revision, cancel).ConfigureAwait(false);
        }

        var answer = new bool[batches.Count];
        for (var i = 0; i < answer.Length; i++)
        {
            var batch = batches[i].Batch;
            if (!found.TryGetValue((batch.Lane, batch.Name.N), out var stored))
            {
                continue;
            }

            var expected = (ulong)(target.IsLedger ? batch.LedgerRows : target.IsDeadLetter ? 1 : batch.Rows);
            if (stored.Rows != expected || stored.DistinctRows != expected)
            {
                throw new InvalidDataException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{target.Table} holds {stored.Rows} rows ({stored.DistinctRows} different) of batch {batch}, which has {expected}"));
            }

            answer[i] = true;
        }

        return answer;
    }

    public void Dispose()
    {
        foreach (var block in _blocks.Values.SelectMany(bag => bag))
        {
            block.Dispose();
        }

        foreach (var block in _ledgers)
        {
            block.Dispose();
        }

        foreach (var block in _letters)
        {
            block.Dispose();
        }

        foreach (var buffer in _buffers)
        {
            buffer.Dispose();
        }
    }

    private async Task<InsertOutcome> InsertRowsAsync(
        EventClass eventClass,
        IReadOnlyList<PendingBatch> batches,
        string token,
        InsertLabel label,
        bool repeated,
        CancellationToken cancel)
    {
        var bag = _blocks.GetOrAdd(eventClass.Id, static _ => []);
        var block = bag.TryTake(out var free) ? free : new ClassBlock(eventClass);
        try
        {
            foreach (var (batch, _) in BatchNames.InTableOrder(batches))
            {
                if (!block.TryAdd(batch.Decoded, Origin(batch)))
                {
                    return TooLarge(batches);
                }
            }

            return await SendAsync(block, batches, token, label, repeated, cancel).ConfigureAwait(false);
        }
        finally
        {
            block.Reset();
            bag.Add(block);
        }
    }

    private async Task<InsertOutcome> InsertLettersAsync(
        IReadOnlyList<PendingBatch> batches, string token, InsertLabel label, bool repeated, CancellationToken cancel)
    {
        var block = _letters.TryTake(out var free) ? free : new DeadLetterBlock();
        try
        {
            foreach (var (batch, _) in batches)
            {
                if (!block.TryAdd(batch.Letter!, Origin(batch)))
                {
                    return TooLarge(batches);
                }
            }

            return await SendAsync(block, batches, token, label, repeated, cancel).ConfigureAwait(false);
        }
        finally
        {
            block.Reset();
            _letters.Add(block);
        }
    }

    private async Task<InsertOutcome> InsertLedgerAsync(
        IReadOnlyList<PendingBatch> batches, string token, InsertLabel label, bool repeated, CancellationToken cancel)
    {
        var block = _ledgers.TryTake(out var free) ? free : new LedgerBlock();
        try
        {
            foreach (var (batch, _) in BatchNames.InTableOrder(batches))
            {
                var fits = batch.Account is { } account
                    ? block.TryAdd(account, Origin(batch), batch.Revision)
                    : block.TryAdd(batch.Decoded, Origin(batch), batch.Revision);
                if (!fits)
                {
                    return TooLarge(batches);
                }
            }

            return await SendAsync(block, batches, token, label, repeated, cancel).ConfigureAwait(false);
        }
        finally
        {
            block.Reset();
            _ledgers.Add(block);
        }
    }

    private async Task<InsertOutcome> SendAsync(
        NativeBlock block, IReadOnlyList<PendingBatch> batches, string token, InsertLabel label, bool repeated, CancellationToken cancel)
    {
        var buffer = _buffers.TryTake(out var free) ? free : new SegmentedBuffer();
        try
        {
            var before = await _space.BeforeAsync(cancel).ConfigureAwait(false);
            var insert = _inserter.InsertAsync(block, buffer, token, label, repeated, cancel, () => MaySend(batches));
            await _space.DuringAsync(insert, cancel).ConfigureAwait(false);
            var result = await insert.ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
            if (result.Outcome == Storage.InsertOutcome.Ok && await _space.AfterAsync(before, cancel).ConfigureAwait(false) is { } shortage)
            {
                return new InsertOutcome(InsertVerdict.Short, shortage);
            }

            var detail = result.Code == 0 ? result.Message : $"code {result.Code}: {result.Message}";
            return new InsertOutcome(Verdict(result.Outcome), detail, result.Code);
        }
        finally
        {
            buffer.Clear();
            _buffers.Add(buffer);
        }
    }

    // Refused before anything was written is resolved like a doubt: the read-back costs a query and assumes nothing about the server.
    private static InsertVerdict Verdict(Storage.InsertOutcome outcome) => outcome switch
    {
        Storage.InsertOutcome.Ok => InsertVerdict.Clean,
        Storage.InsertOutcome.Split => InsertVerdict.Split,
        Storage.InsertOutcome.Stop => InsertVerdict.Stop,
        _ => InsertVerdict.InDoubt,
    };

    // Merging megabytes and opening a connection take time in which a lease can run out.
    private bool MaySend(IReadOnlyList<PendingBatch> batches)
    {
        foreach (var (_, fence) in batches)
        {
            if (!fence.MaySend())
            {
                return false;
            }
        }

        beforeSend?.Invoke();
        return true;
    }

    private static InsertOutcome TooLarge(IReadOnlyList<PendingBatch> batches) =>
        new(InsertVerdict.Split, $"{batches.Count} batches do not fit into one block");

    private static BatchOrigin Origin(StagedBatch batch) => new(batch.Head.AgentId, batch.Head.Host, batch.Head.ReceivedAt);
}
