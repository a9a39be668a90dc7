using Streams.AgentLink;
using Streams.Schema;

namespace Streams.Bench.Chaos.Sources;

/// <summary>Seals a batch whose header and ledger are right and whose body cannot be decoded.</summary>
internal readonly struct PoisonSealer(BuilderSealer inner) : IBatchSealer
{
    private const int Spoiled = 64;

    public int MaxSealedBytes => inner.MaxSealedBytes;

    public int Seal(BatchName name, ushort catalogue, Span<byte> destination)
    {
        var length = inner.Seal(name, catalogue, destination);
        destination[Math.Max(0, length - Spoiled)..length].Fill(0xFF);
        return length;
    }

    public bool TryDigest(BatchName name, ushort catalogue, ISha256 hash, Span<byte> digest) => false;
}
