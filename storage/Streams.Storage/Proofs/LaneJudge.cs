using Streams.Schema;

namespace Streams.Storage;

/// <summary>True when the signature over the checkpoint is by one of the agent's keys.</summary>
public delegate bool ProofSignatureCheck(ReadOnlySpan<byte> checkpoint, ReadOnlySpan<byte> signature);

/// <summary>
/// Decides about a run of batches of one lane. A signature makes the digests that it covers true; then rows that do not have them are
/// wrong. Rows of batch_proof are taken first, and where they do not fit the signature the digests of the rows themselves: so that a proof
/// which lacks rows still proves, and what was altered is named and not its neighbours.
/// </summary>
internal sealed class LaneJudge(ulong epoch, uint lane, ProofSignatureCheck check, ISha256 hash)
{
    /// <summary>Batches that a signature may cover here; an agent signs every 64.</summary>
    internal const int MaxCovered = 4096;

    private readonly byte[] _chain = new byte[DigestChain.Size];
    private readonly byte[] _digests = new byte[DigestChain.Size];
    private readonly byte[] _checkpoint = new byte[DigestChain.CheckpointSize];

    /// <param name="first">First batch to report of; evidence of others only helps.</param>
    public void Judge(SortedDictionary<uint, BatchEvidence> evidence, uint first, uint last, LaneReport report)
    {
        foreach (var batch in evidence.Values)
        {
            foreach (var row in batch.Proofs.Where(row => row.Signature.Length > 0))
            {
                if (!Verify(evidence, row, ownFirst: false) && !Verify(evidence, row, ownFirst: true) && row.N >= first && row.N <= last)
                {
                    report.Add(new ProofFinding("bad_signature", row.N, LedgerClasses.BatchProof.Name, Explain(evidence, row)));
                }
            }
        }

        for (var n = first; ; n++)
        {
            Judge(evidence.GetValueOrDefault(n) ?? new BatchEvidence(n), report);
            if (n == last)
            {
                return;
            }
        }
    }

    private static void Judge(BatchEvidence batch, LaneReport report)
    {
        report.Rows += batch.Rows;
        if (batch.Proofs.Count > 0)
        {
            report.HasProofs = true;
            report.NoProofTail = 0;
        }

        if (batch.Expired)
        {
            report.Expired++;
        }
        else if (Wrong(batch) is { } finding)
        {
            if (batch.ColumnsIgnored && finding.Kind == "altered")
            {
                report.ColumnsIgnored++;
                return;
            }

            report.Add(finding);
        }
        else if (batch.Fits(batch.Signed))
        {
            report.Signed++;
            report.LastSigned = batch.N;
            report.Hole |= report.FirstUnsigned is not null;
        }
        else if (batch.Rows == 0)
        {
            report.Lost++;
        }
        else if (batch.Proofs.Count > 0)
        {
            report.Unsigned++;
            report.FirstUnsigned ??= batch.N;
        }
        else
        {
            report.NoProof++;
            report.NoProofTail++;
        }
    }

    /// <summary>Why the rows are not those that were sent; null when nothing says so.</summary>
    private static ProofFinding? Wrong(BatchEvidence batch)
    {
        var claimed = batch.Signed.Count > 0 ? batch.Signed : [.. batch.Proofs.Select(row => row.Digest)];
        if (batch.Rows == 0)
        {
            return batch.InLedger && batch.LedgerRows == 0 ? null
                : Finding("missing_rows", batch.InLedger ? $"none of {batch.LedgerRows} rows is there" : "there are neither rows nor a ledger entry");
        }

        if (batch.Fits(claimed))
        {
            return batch.Repeated ? Finding("extra_rows", "rows are there twice") : null;
        }

        if (batch.InLedger && batch.Rows < batch.LedgerRows)
        {
            return Finding("missing_rows", $"{batch.LedgerRows - batch.Rows} of {batch.LedgerRows} rows are gone");
        }

        if (batch.Repeated || (batch.InLedger && batch.Rows > batch.LedgerRows))
        {
            return Finding("extra_rows", $"{batch.Rows} rows where {batch.LedgerRows} were sent");
        }

        return claimed.Count == 0 ? null
            : Finding("altered", batch.Signed.Count > 0 ? "the rows are not those that were signed" : "the rows do not have the digest of their proof");

        ProofFinding Finding(string kind, string detail) => new(kind, batch.N, batch.Class, detail);
    }

    private bool Verify(SortedDictionary<uint, BatchEvidence> evidence, ProofRow row, bool ownFirst)
    {
        if (row.From > row.N || row.N - row.From >= MaxCovered || Collect(evidence, row, ownFirst) is not { } digests)
        {
            return false;
        }

        foreach (var digest in digests)
        {
            hash.Append(digest);
        }

        hash.Finish(_digests);
        foreach (var before in Before(evidence, row))
        {
            before.CopyTo(_chain, 0);
            for (var i = 0; i < digests.Count; i++)
            {
                DigestChain.Step(_chain, row.From + (uint)i, digests[i], hash);
            }

            DigestChain.WriteCheckpoint(_checkpoint, epoch, lane, row.From, row.N, before, _chain, _digests);
            if (_chain.AsSpan().SequenceEqual(row.Chain) && check(_checkpoint, row.Signature))
            {
                for (var i = 0; i < digests.Count; i++)
                {
                    evidence[row.From + (uint)i].Signed.Add(digests[i]);
                }

                return true;
            }
        }

        return false;
    }

    /// <summary>The digests that the signature covers; null when one is nowhere.</summary>
    private static List<byte[]>? Collect(SortedDictionary<uint, BatchEvidence> evidence, ProofRow row, bool ownFirst)
    {
        var digests = new List<byte[]>();
        for (var n = row.From; ; n++)
        {
            var batch = evidence.GetValueOrDefault(n);
            var claimed = batch?.Proofs.Find(p => p.Restart == row.Restart && p.From == row.From) ?? batch?.Proofs.Find(p => p.Restart == row.Restart);
            var own = batch?.Digests.Find(d => claimed is not null && d.AsSpan().SequenceEqual(claimed.Digest)) ?? batch?.Digests.FirstOrDefault();
            if ((ownFirst ? own ?? claimed?.Digest : claimed?.Digest ?? own) is not { } digest)
            {
                return null;
            }

            digests.Add(digest);
            if (n == row.N)
            {
                return digests;
            }
        }
    }

    /// <summary>What the chain may have been before: nothing at the start of a lane or of a later process, otherwise what the row
    /// before says.</summary>
    private static IEnumerable<byte[]> Before(SortedDictionary<uint, BatchEvidence> evidence, ProofRow row)
    {
        if (row.From > 0 && evidence.TryGetValue(row.From - 1, out var previous))
        {
            foreach (var proof in previous.Proofs.Where(proof => proof.Restart == row.Restart))
            {
                yield return proof.Chain;
            }
        }

        if (row.From == 0 || row.Restart)
        {
            yield return new byte[DigestChain.Size];
        }
    }

    private static string Explain(SortedDictionary<uint, BatchEvidence> evidence, ProofRow row)
    {
        var differ = new List<uint>();
        for (var n = row.From; n <= row.N && row.N - row.From < MaxCovered && differ.Count < 10; n++)
        {
            if (evidence.GetValueOrDefault(n) is { Rows: > 0, Proofs.Count: > 0 } batch && !batch.Fits(batch.Proofs.Select(proof => proof.Digest)))
            {
                differ.Add(n);
            }
        }

        return $"the signature over batches {row.From} to {row.N} fits no key of the agent, or not what is there"
            + (differ.Count > 0 ? $"; the digests of rows differ at {string.Join(", ", differ)}" : "");
    }
}
