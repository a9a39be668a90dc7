using Streams.AgentLink.Lanes;
using Streams.Schema;

namespace Streams.AgentLink.Proof;

/// <summary>
/// The digest chain of one lane since its last signed checkpoint. The row of its newest batch is kept back: if no batch follows in time,
/// it is the one that carries the signature.
/// </summary>
internal sealed class LaneProof(Lane lane)
{
    internal Lane Lane { get; } = lane;

    /// <summary>First batch that the next signature covers.</summary>
    internal uint From { get; private set; }

    /// <summary>The newest batch.</summary>
    internal uint N { get; private set; }

    /// <summary>The row of <see cref="N"/> is not written yet.</summary>
    internal bool HasPending { get; private set; }

    /// <summary>The chain begins anew at its first batch: what was before is not known to this process.</summary>
    internal bool Restart { get; private set; }

    /// <summary>Kept in the writer's list of lanes to sign.</summary>
    internal bool Listed { get; set; }

    internal byte[] Digest { get; } = new byte[BatchDigest.Size];

    /// <summary>c of <see cref="N"/>.</summary>
    internal byte[] Chain { get; } = new byte[DigestChain.Size];

    /// <summary>c before <see cref="From"/>.</summary>
    internal byte[] Before { get; } = new byte[DigestChain.Size];

    /// <summary>Over the digests of <see cref="From"/> to <see cref="N"/>.</summary>
    internal LinkHash Digests { get; } = new();

    internal uint Batches => HasPending ? N - From + 1 : 0;

    internal bool Follows(uint n) => n == N + 1;

    internal void Begin(uint n, bool restart)
    {
        Chain.AsSpan().Clear();
        Before.AsSpan().Clear();
        Digests.Finish(Digest); // of an interval that was broken off
        From = n;
        Restart = restart;
        HasPending = false;
    }

    internal void Add(uint n, ReadOnlySpan<byte> digest, ISha256 hash)
    {
        DigestChain.Step(Chain, n, digest, hash);
        Digests.Append(digest);
        digest.CopyTo(Digest);
        N = n;
        HasPending = true;
    }

    internal void Written() => HasPending = false;

    internal void Signed()
    {
        HasPending = false;
        From = N + 1;
        Chain.CopyTo(Before, 0);
    }
}
