using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using Streams.Wire.Crypto;
using Streams.Wire.Messages;

namespace Streams.Wire.Handshake;

/// <summary>
/// A fleet root's statement about the root after it: <c>new_root 32 ‖ issued u64 (Unix s) ‖ root_id 8 ‖ root_sig 64</c>. Only the newest
/// root that an agent pins may make one, so the holder of an old root can name nobody once its successor is pinned, and a repeated
/// statement changes nothing. A root that names itself retires those before it.
/// </summary>
public sealed class RootSuccession
{
    public const int Size = SigningKey.PublicKeySize + 8 + FleetRoots.IdSize + SigningKey.SignatureSize;

    private readonly byte[] _bytes;

    private RootSuccession(byte[] bytes) => _bytes = bytes;

    public ReadOnlySpan<byte> NewRoot => _bytes.AsSpan(0, SigningKey.PublicKeySize);

    /// <summary>When it was issued, in milliseconds since 1970: of two the later is kept where there is place for one.</summary>
    public ulong Version => BinaryPrimitives.ReadUInt64BigEndian(_bytes.AsSpan(SigningKey.PublicKeySize)) * 1000;

    public ReadOnlySpan<byte> Bytes => _bytes;

    private ReadOnlySpan<byte> RootId => _bytes.AsSpan(SigningKey.PublicKeySize + 8, FleetRoots.IdSize);

    /// <param name="root">The newest root so far.</param>
    /// <param name="newRoot">The root to be pinned beside it, or its own key to retire those before it.</param>
    /// <param name="issued">Unix seconds.</param>
    public static RootSuccession Create(SigningKey root, ReadOnlySpan<byte> newRoot, long issued)
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentOutOfRangeException.ThrowIfNegative(issued);
        if (!SigningKey.IsPublicKey(newRoot))
        {
            throw new ArgumentException("not an Ed25519 public key", nameof(newRoot));
        }

        var bytes = new byte[Size];
        var writer = new WireWriter(bytes);
        writer.Bytes(newRoot);
        writer.U64((ulong)issued);
        FleetRoots.WriteId(root.PublicKey, writer.Reserve(FleetRoots.IdSize));
        root.Sign(SigningInput.FleetRoot, bytes.AsSpan(0, writer.Position), bytes.AsSpan(writer.Position));
        return new RootSuccession(bytes);
    }

    /// <summary>Checks form only, see <see cref="TryApply"/>.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out RootSuccession? succession)
    {
        succession = bytes.Length == Size && SigningKey.IsPublicKey(bytes[..SigningKey.PublicKeySize]) ? new RootSuccession(bytes.ToArray()) : null;
        return succession is not null;
    }

    /// <summary>Parses a statement as it stands in a file or in the queue: one line of base64url, white space around it. Checks form only.</summary>
    public static bool TryParseText(ReadOnlySpan<char> text, [NotNullWhen(true)] out RootSuccession? succession)
    {
        succession = null;
        text = text.Trim();
        var bytes = new byte[Size];
        return text.Length == Base64Url.GetEncodedLength(Size) && Base64Url.IsValid(text)
            && Base64Url.TryDecodeFromChars(text, bytes, out var written) && TryParse(bytes.AsSpan(0, written), out succession);
    }

    /// <summary>As <see cref="TryParseText"/> reads it, without a line end.</summary>
    public string ToText() => Base64Url.EncodeToString(_bytes);

    /// <summary>The roots to pin from now on; false when the statement is not the newest root's, or changes nothing.</summary>
    public bool TryApply(FleetRoots pinned, out FleetRoots? roots)
    {
        ArgumentNullException.ThrowIfNull(pinned);
        roots = null;
        var newest = pinned.Newest;
        Span<byte> id = stackalloc byte[FleetRoots.IdSize];
        FleetRoots.WriteId(newest, id);
        var signed = Size - SigningKey.SignatureSize;
        if (!id.SequenceEqual(RootId) || !Signature.Verify(newest, SigningInput.FleetRoot, _bytes.AsSpan(0, signed), _bytes.AsSpan(signed)))
        {
            return false;
        }

        var retires = newest.SequenceEqual(NewRoot);
        if (retires && pinned.Keys.Count == 1)
        {
            return false;
        }

        roots = retires ? new FleetRoots(newest.ToArray()) : new FleetRoots(newest.ToArray(), NewRoot.ToArray());
        return true;
    }
}
