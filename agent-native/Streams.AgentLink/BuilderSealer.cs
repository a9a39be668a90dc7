using Streams.Schema;

namespace Streams.AgentLink;

/// <summary>Seals the rows of a <see cref="BatchBuilder"/>. The builder is reset by the caller after a successful append.</summary>
public readonly struct BuilderSealer(BatchBuilder builder, BatchStamp stamp, BatchCompression compression) : IBatchSealer
{
    public int MaxSealedBytes => builder.MaxSealedBytes;

    public int Seal(BatchName name, Span<byte> destination) => builder.Seal(name, in stamp, compression, destination);
}
