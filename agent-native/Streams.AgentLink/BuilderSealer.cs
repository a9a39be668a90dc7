using Streams.Schema;

namespace Streams.AgentLink;

/// <summary>Seals the rows of a <see cref="BatchBuilder"/>. The builder is reset by the caller after a successful append.</summary>
public readonly struct BuilderSealer(BatchBuilder builder, BatchStamp stamp, BatchCompression compression) : IBatchSealer
{
    public int MaxSealedBytes => builder.MaxSealedBytes;

    public int Seal(BatchName name, ushort catalogue, Span<byte> destination) =>
        builder.Seal(name, stamp with { CatalogueVersion = catalogue }, compression, destination);

    public bool TryDigest(BatchName name, ushort catalogue, ISha256 hash, Span<byte> digest)
    {
        builder.Digest(name, stamp with { CatalogueVersion = catalogue }, hash, digest);
        return true;
    }
}
