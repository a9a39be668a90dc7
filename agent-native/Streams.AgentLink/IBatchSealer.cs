using Streams.Schema;

namespace Streams.AgentLink;

/// <summary>Turns rows into the bytes of a batch once its name is known.</summary>
public interface IBatchSealer
{
    /// <summary>Upper bound of what <see cref="Seal"/> writes; bounds the room that is asked for before anything is compressed.</summary>
    int MaxSealedBytes { get; }

    /// <summary>Writes the whole batch, whose name is <paramref name="name"/>.</summary>
    /// <param name="catalogue">Catalogue to write in: the older of this build's and the server's.</param>
    /// <returns>Bytes written; 0 when <paramref name="destination"/> is too small.</returns>
    int Seal(BatchName name, ushort catalogue, Span<byte> destination);

    /// <summary>The digest of what <see cref="Seal"/> wrote under this name; false when the sealer does not know it: it is then computed
    /// from the bytes.</summary>
    bool TryDigest(BatchName name, ushort catalogue, ISha256 hash, Span<byte> digest);
}
