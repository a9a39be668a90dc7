using System.Security.Cryptography;
using Streams.Schema;

namespace Streams.AgentLink.Tests.Proof;

/// <summary>SHA-256 of the runtime: not the one that the link uses.</summary>
internal sealed class RuntimeSha256 : ISha256, IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public void Append(ReadOnlySpan<byte> data) => _hash.AppendData(data);

    public void Finish(Span<byte> digest) => _hash.GetHashAndReset(digest);

    public void Dispose() => _hash.Dispose();
}
