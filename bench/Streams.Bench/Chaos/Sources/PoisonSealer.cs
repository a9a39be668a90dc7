using Streams.AgentLink;
using Streams.Schema;

namespace Streams.Bench.Chaos.Sources;

/// <summary>Seals a batch whose header and ledger are right and whose body cannot be decoded.</summary>
internal readonly struct PoisonSealer(BuilderSealer inner) : IBatchSealer
{
    private const int Spoiled = 64;

    public int MaxSealedBytes => inner.MaxSealedBytes;

    public int Seal(BatchName name, Span<byte> destination)
    {
        var length = inner.Seal(name, destination);
        destination[Math.Max(0, length - Spoiled)..length].Fill(0xFF);
        return length;
    }
}
