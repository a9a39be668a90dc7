namespace Streams.Schema;

/// <summary>
/// Incremental SHA-256, given by whoever has a library for it: the agent over libsodium, servers over the runtime. This project has
/// none, because the runtime's would load OpenSSL into the agent.
/// </summary>
public interface ISha256
{
    /// <summary>Bytes of a digest.</summary>
    const int Size = 32;

    void Append(ReadOnlySpan<byte> data);

    /// <summary>Writes the digest of everything appended since the last call, and begins anew.</summary>
    void Finish(Span<byte> digest);
}
