using Microsoft.Extensions.Logging;
using Streams.Storage;

namespace Streams.Worker.Commit;

/// <summary>
/// Puts a set of batches into one table exactly once, whatever happens to a single insert (review 1). ClickHouse writes a
/// deduplication token before the rows, so a success reply to a token that was sent before proves nothing. Hence: an insert without a
/// clean first success is in doubt; kill it, read back, send it again under the same token (which cannot double), read back, and only
/// then go on to the next attempt's token. On a disk that is short of room no success is clean (docs/adr/0018). Gives up only when every partition of the block lost its fence; what it then leaves unkilled
/// is for recovery to kill.
/// </summary>
internal sealed class BlockInsert(
    IBatchStore store,
    AbandonedInserts abandoned,
    DeadLetterQuota quota,
    ISystemAlerts alerts,
    TimeProvider time,
    WorkerMetrics metrics,
    ILogger logger)
{
    /// <summary>How often the same batch is sent alone before it counts as poison.</summary>
    internal const int PoisonAttempts = 2;

    /// <summary>An insert that fails for so long is for a person to look at; it goes on all the same.</summary>
    internal static readonly TimeSpan AlertAfter = TimeSpan.FromMinutes(5);

    internal static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);
    internal static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private long _serial;

    /// <summary>Returns when every batch whose fence still holds is in the table.</summary>
    /// <returns>Parts made.</returns>
    public async Task<int> RunAsync(InsertTarget target, IReadOnlyList<PendingBatch> batches, CancellationToken cancel)
    {
        var pending = batches;
        var attempt = 0;
        string? lastToken = null;
        var wait = FirstWait;
        var blamed = 0;
        var begun = time.GetTimestamp();
        while (true)
        {
            pending = Keep(pending);
            if (pending.Count == 0)
            {
                return 0;
            }

            var lives = pending.Select(static batch => batch.Fence.Life);
            var token = InsertToken.Compute(target.Table, BatchNames.Runs(pending), lives, attempt);
            var repeated = token == lastToken;
            var serial = Interlocked.Increment(ref _serial);
            var started = time.GetTimestamp();
            InsertOutcome outcome;
            IReadOnlyList<PendingBatch> absent;
            abandoned.Sent(serial);
            try
            {
                outcome = await store.InsertAsync(target, pending, token, serial, repeated, cancel).ConfigureAwait(false);
                if (outcome.Verdict == InsertVerdict.Clean)
                {
                    abandoned.Ended(serial);
                    if (!repeated)
                    {
                        metrics.Inserted(target, pending, time.GetElapsedTime(started));
                        return 1;
                    }
                }
                else
                {
                    metrics.InDoubt(outcome.Verdict);
                    if (outcome.Verdict != InsertVerdict.Short)
                    {
                        logger.InsertInDoubt(target.Table, pending.Count, attempt, outcome.Verdict, outcome.Detail);
                    }
                }

                absent = await ResolveAsync(target, pending, serial, cancel).ConfigureAwait(false);
                if (absent.Count > 0 && outcome.Verdict == InsertVerdict.Short)
                {
                    logger.InsertInDoubt(target.Table, absent.Count, attempt, outcome.Verdict, outcome.Detail);
                }
            }
            finally
            {
                abandoned.Abandon(serial);
            }

            if (absent.Count == 0)
            {
                metrics.Inserted(target, pending, time.GetElapsedTime(started));
                return 1;
            }

            pending = absent;
            if (outcome.Verdict == InsertVerdict.Stop)
            {
                Fail(pending, $"insert into {target.Table}: {outcome.Detail}");
                return 0;
            }

            if (outcome.Verdict == InsertVerdict.Split && pending.Count > 1)
            {
                var half = pending.Count / 2;
                return await RunAsync(target, [.. pending.Take(half)], cancel).ConfigureAwait(false)
                    + await RunAsync(target, [.. pending.Skip(half)], cancel).ConfigureAwait(false);
            }

            if (outcome.BlamesTheBlock && ++blamed >= PoisonAttempts && target.Class is not null)
            {
                // Alone, refused twice for what it is, and not in the table. Memory never gets here.
                Condemn(pending[0], outcome);
                return 0;
            }

            if (time.GetElapsedTime(begun) >= AlertAfter)
            {
                begun = time.GetTimestamp();
                alerts.Raise("insert_failing", target.Table, $"{pending.Count} batches are not stored for 5 minutes: {outcome.Detail}");
            }

            // The same token twice, read back both times: whatever the token's record says, the rows are not there.
            attempt = repeated ? attempt + 1 : attempt;
            lastToken = token;
            await Task.Delay(wait, time, cancel).ConfigureAwait(false);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }

    private void Condemn(in PendingBatch pending, InsertOutcome outcome)
    {
        var batch = pending.Batch;
        if (batch.Revision != 0)
        {
            pending.Fence.Fail($"still refused: {outcome.Detail}");
            return;
        }

        if (!quota.TryTake(batch.Head.AgentId))
        {
            // The next life finds the hour used up and holds this agent's lanes; the others go on.
            pending.Fence.Fail($"{batch} is refused ({outcome.Detail}) and its agent has made enough dead letters for an hour");
            return;
        }

        var now = time.GetUtcNow().ToUnixTimeMilliseconds() * 1000;
        batch.Condemn(batch.Decoded.Rows, "insert", outcome.Code, outcome.Detail, LedgerAccount.OfDeadLetter(batch.Decoded), now);
        alerts.Raise("dead_letter", batch.ToString(), outcome.Detail);
    }

    /// <summary>Kills the insert and reads back until the table has answered; returns what is not there.</summary>
    private async Task<IReadOnlyList<PendingBatch>> ResolveAsync(
        InsertTarget target, IReadOnlyList<PendingBatch> pending, long serial, CancellationToken cancel)
    {
        var wait = FirstWait;
        var begun = time.GetTimestamp();
        while (true)
        {
            try
            {
                await store.KillAsync(serial, cancel).ConfigureAwait(false);
                abandoned.Ended(serial);
                var stored = await store.ReadBackAsync(target, pending, cancel).ConfigureAwait(false);
                return [.. pending.Where((_, i) => !stored[i])];
            }
            catch (InvalidDataException partial)
            {
                Fail(pending, partial.Message);
                return pending;
            }
            catch (Exception error) when (error is not OperationCanceledException || !cancel.IsCancellationRequested)
            {
                logger.ReadBackFailed(target.Table, pending.Count, error.Message);
                if (time.GetElapsedTime(begun) >= AlertAfter)
                {
                    begun = time.GetTimestamp();
                    alerts.Raise("insert_failing", target.Table, $"{pending.Count} batches cannot be read back for 5 minutes: {error.Message.Split('\n')[0]}");
                }
            }

            pending = Keep(pending);
            if (pending.Count == 0)
            {
                return [];
            }

            await Task.Delay(wait, time, cancel).ConfigureAwait(false);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }

    private static IReadOnlyList<PendingBatch> Keep(IReadOnlyList<PendingBatch> pending) =>
        pending.All(batch => batch.Fence.Holds()) ? pending : [.. pending.Where(batch => batch.Fence.Holds())];

    private static void Fail(IReadOnlyList<PendingBatch> pending, string reason)
    {
        foreach (var batch in pending)
        {
            batch.Fence.Fail(reason);
        }
    }
}
