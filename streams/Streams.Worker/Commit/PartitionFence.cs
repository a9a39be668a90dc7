using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Streams.Worker.Commit;

/// <summary>
/// One life of a partition's pipeline as the inserter sees it: whether rows of that partition may still be sent. It is asked
/// immediately before every send, on the monotonic clock (review 6); once it has failed it stays so, and what the partition had in
/// flight is left for recovery to read back.
/// </summary>
/// <param name="leaseHeld">Whether the lease holds.</param>
/// <param name="leaseHeldToSend">Whether it holds for as long as a statement may take to begin on the server; null for always.</param>
internal sealed class PartitionFence(int partition, Func<bool> leaseHeld, Func<bool>? leaseHeldToSend = null)
{
    private string? _failure;

    public int Partition { get; } = partition;

    /// <summary>
    /// Random, in the token of each insert of this life: recovery has killed and read back what earlier lives sent, so their tokens, which
    /// may stand without rows, must not meet ours.
    /// </summary>
    public ulong Life { get; } = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong)));

    /// <summary>Why nothing of this life may be inserted or committed any more; null while it may.</summary>
    public string? Failure => Volatile.Read(ref _failure);

    /// <summary>Whether an insert may be sent now. False may be for the moment only: the lease may be renewed.</summary>
    public bool MaySend() => Holds() && leaseHeldToSend?.Invoke() != false;

    /// <summary>Whether this life goes on.</summary>
    public bool Holds()
    {
        if (Failure is null && !leaseHeld())
        {
            Fail("the lease of the partition ran out");
        }

        return Failure is null;
    }

    /// <summary>Ends this life; the first reason stays.</summary>
    public void Fail(string reason) => Interlocked.CompareExchange(ref _failure, reason, null);
}
