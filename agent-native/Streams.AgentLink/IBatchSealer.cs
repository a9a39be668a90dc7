using Streams.Schema;

namespace Streams.AgentLink;

/// <summary>Turns rows into the bytes of a batch once its name is known.</summary>
public interface IBatchSealer
{
    /// <summary>Upper bound of what <see cref="Seal"/> writes; bounds the room that is asked for before anything is compressed.</summary>
    int MaxSealedBytes { get; }

    /// <summary>Writes the whole batch, whose name is <paramref name="name"/>.</summary>
    /// <returns>Bytes written; 0 when <paramref name="destination"/> is too small.</returns>
    int Seal(BatchName name, Span<byte> destination);
}
