using Streams.Schema;
using Streams.Wire.Crypto;

namespace Streams.AgentLink.Proof;

/// <summary>SHA-256 over libsodium, as the schema asks for it.</summary>
internal sealed class LinkHash : ISha256
{
    private readonly IncrementalSha256 _hash = new();

    public void Append(ReadOnlySpan<byte> data) => _hash.Append(data);

    public void Finish(Span<byte> digest) => _hash.Finish(digest);
}
