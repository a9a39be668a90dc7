using System.Text;
using Streams.Wire.Crypto;
using Streams.Wire.Messages;

namespace Streams.Wire.Keys;

/// <summary>
/// An agent's change of its key, signed by the old and the new one over <c>agent_id str8 ‖ old_pk 32 ‖ new_pk 32</c>: who has only the
/// old key cannot name a key that it does not hold, and nobody can take over a session's key by naming it as its own.
/// </summary>
public static class KeyRotation
{
    private const int MaxBytes = 1 + Limits.MaxNameBytes + (2 * SigningKey.PublicKeySize);

    /// <summary>One of the two signatures; <paramref name="signature"/> takes 64 bytes.</summary>
    public static void Sign(SigningKey key, string agentId, ReadOnlySpan<byte> oldKey, ReadOnlySpan<byte> newKey, Span<byte> signature)
    {
        ArgumentNullException.ThrowIfNull(key);
        Span<byte> statement = stackalloc byte[MaxBytes];
        key.Sign(SigningInput.AgentKeyRotation, statement[..Write(agentId, oldKey, newKey, statement)], signature);
    }

    public static bool Verify(
        string agentId, ReadOnlySpan<byte> oldKey, ReadOnlySpan<byte> newKey, ReadOnlySpan<byte> oldSignature, ReadOnlySpan<byte> newSignature)
    {
        Span<byte> buffer = stackalloc byte[MaxBytes];
        var statement = buffer[..Write(agentId, oldKey, newKey, buffer)];
        return !oldKey.SequenceEqual(newKey) && SigningKey.IsPublicKey(newKey)
            && Signature.Verify(oldKey, SigningInput.AgentKeyRotation, statement, oldSignature)
            && Signature.Verify(newKey, SigningInput.AgentKeyRotation, statement, newSignature);
    }

    private static int Write(string agentId, ReadOnlySpan<byte> oldKey, ReadOnlySpan<byte> newKey, Span<byte> statement)
    {
        if (!AgentId.IsValid(agentId))
        {
            throw new ArgumentException("not an agent id", nameof(agentId));
        }

        ArgumentOutOfRangeException.ThrowIfNotEqual(oldKey.Length, SigningKey.PublicKeySize);
        ArgumentOutOfRangeException.ThrowIfNotEqual(newKey.Length, SigningKey.PublicKeySize);
        var writer = new WireWriter(statement);
        writer.Str8(Encoding.ASCII.GetBytes(agentId));
        writer.Bytes(oldKey);
        writer.Bytes(newKey);
        return writer.Position;
    }
}
