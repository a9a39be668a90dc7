using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Wire.Proof;

/// <summary>The agent's signature over a checkpoint of a lane's digest chain (PROTOCOL.md, section Proofs).</summary>
public static class BatchProofSignature
{
    public const int Size = SigningKey.SignatureSize;

    public static void Sign(AgentIdentity identity, ReadOnlySpan<byte> checkpoint, Span<byte> signature) =>
        identity.Key.Sign(SigningInput.BatchProof, checkpoint, signature);

    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> checkpoint, ReadOnlySpan<byte> signature) =>
        Signature.Verify(publicKey, SigningInput.BatchProof, checkpoint, signature);
}
