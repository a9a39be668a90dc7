using Streams.Schema;
using Streams.Schema.Json;
using Streams.Storage;
using Streams.Worker.Commit;
using Streams.Worker.Recovery;

namespace Streams.Worker.Decode;

/// <summary>
/// What becomes of one admitted batch: rows, a dead letter, ledger rows only (its rows or its letter are stored already), or a refusal
/// that holds its lane. Belongs to the graph of one partition.
/// </summary>
internal sealed class BatchJudge(StoredBatches stored, DeadLetterQuota quota, ISystemAlerts alerts, TimeProvider time)
{
    private const string Undecodable = "undecodable";
    private const string ForeignClass = "foreign_class";

    /// <summary>Fills <paramref name="target"/>, whose head and name are set.</summary>
    /// <returns><see cref="Refusal.None"/>, or why its lane must wait.</returns>
    public Refusal Judge(ReadOnlySpan<byte> bytes, in BatchHeader header, StagedBatch target, out BatchError error)
    {
        if (!Catalogue.TryGet(header.ClassId, out var eventClass))
        {
            error = new BatchError(BatchErrorKind.UnknownClass, 0, header.ClassId);
            return Refusal.Unknown;
        }

        error = default;
        if (header.SchemaVersion > eventClass.Version)
        {
            return Refusal.Unknown;
        }

        if (quota.IsExhausted(target.Head.AgentId))
        {
            return Refusal.QuotaExceeded;
        }

        target.Keep(bytes);
        // The subject has proved which role this is: whoever holds a gateway's key says no identities, and an agent no sessions.
        var allowed = ServerClasses.MayProduce(target.Head.AgentId, eventClass);
        var readable = allowed && BatchDecoder.TryDecode(bytes, target.Decoded, out error);
        if (allowed && !readable && error.IsUnknown)
        {
            return Refusal.Unknown;
        }

        var found = stored.Find(target.Lane, target.Name.N);
        return found is null
            ? readable ? Refusal.None : GiveUp(bytes, header, eventClass, target, !allowed, error)
            : Restore(bytes, header, eventClass, target, found, readable);
    }

    /// <summary>
    /// What becomes of an admitted JSON batch that has no binary form: a dead letter with its text. Of its rows nothing is known.
    /// </summary>
    public Refusal JudgeText(ReadOnlySpan<byte> text, in JsonBatchError error, StagedBatch target)
    {
        if (quota.IsExhausted(target.Head.AgentId))
        {
            return Refusal.QuotaExceeded;
        }

        target.Keep(text);
        // It names no class that could be believed; the lane's number is accounted for.
        var header = new BatchHeader { Name = target.Name, SensorEpoch = target.Name.Epoch };
        var account = LedgerAccount.OfNothing(header, "");
        if (stored.Find(target.Lane, target.Name.N) is not null)
        {
            target.Stored = true;
            target.Account = account;
            return Refusal.None;
        }

        Condemn(target, header.Rows, Undecodable, error.ToString(), account);
        return Refusal.None;
    }

    /// <summary>An earlier life stored it without its ledger rows: only those are still to be inserted.</summary>
    private static Refusal Restore(
        ReadOnlySpan<byte> bytes, in BatchHeader header, EventClass eventClass, StagedBatch target, FoundBatch found, bool readable)
    {
        target.Stored = true;
        var ledger = readable || BatchDecoder.TryReadLedger(bytes, target.Decoded);
        if (found.Rows.Count == 0)
        {
            // A dead letter it stays, though this worker might read it: its letter can be re-driven.
            target.Account = ledger ? LedgerAccount.OfDeadLetter(target.Decoded) : LedgerAccount.OfNothing(header, eventClass.Name);
            return Refusal.None;
        }

        if (header.Rows == 0 || !ledger)
        {
            target.Account = LedgerAccount.OfStored(header, eventClass.Name, ledger ? target.Decoded : null, found.Rows);
            return Refusal.None;
        }

        return found.Total == (ulong)header.Rows ? Refusal.None : Refusal.PartlyStored;
    }

    private Refusal GiveUp(
        ReadOnlySpan<byte> bytes, in BatchHeader header, EventClass eventClass, StagedBatch target, bool foreign, in BatchError error)
    {
        var account = BatchDecoder.TryReadLedger(bytes, target.Decoded)
            ? LedgerAccount.OfDeadLetter(target.Decoded)
            : LedgerAccount.OfNothing(header, eventClass.Name);
        if (foreign)
        {
            Condemn(target, header.Rows, ForeignClass, $"{eventClass.Name} is not of this producer", account);
        }
        else
        {
            Condemn(target, header.Rows, Undecodable, error.ToString(), account);
        }

        return Refusal.None;
    }

    private void Condemn(StagedBatch target, int rows, string cause, string message, LedgerAccount account)
    {
        quota.TryTake(target.Head.AgentId);
        target.Condemn(rows, cause, 0, message, account, time.GetUtcNow().ToUnixTimeMilliseconds() * 1000);
        alerts.Raise(cause == ForeignClass ? ForeignClass : "dead_letter", target.ToString(), $"{cause}: {message}");
    }
}
