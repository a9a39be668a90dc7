using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using Streams.Wire.Crypto;
using Streams.Wire.Messages;

namespace Streams.Wire.Handshake;

/// <summary>
/// A fleet root's statement which certificates, of gateways, services and operators, are no longer good: <c>version u64 ‖ issued u64 (Unix s) ‖ count u16 ‖ serials u64
/// × count, ascending ‖ root_id 8 ‖ root_sig 64</c>. A later version replaces an earlier one, and agents keep the highest they ever saw:
/// a gateway whose key was lost cannot make them forget it. Serials are unique in a fleet, whatever a certificate is for, so a list speaks
/// for the certificates of every root.
/// </summary>
public sealed class RevocationList
{
    /// <summary>Who signs drops certificates that have expired: with certificates of 90 days this is two a day.</summary>
    public const int MaxSerials = 256;

    private const int FixedBytes = 8 + 8 + 2 + FleetRoots.IdSize + SigningKey.SignatureSize;
    public const int MaxBytes = FixedBytes + (8 * MaxSerials);

    private readonly byte[] _bytes;

    private RevocationList(byte[] bytes, ulong version, long issued, ulong[] serials)
    {
        _bytes = bytes;
        Version = version;
        Issued = issued;
        Serials = serials;
    }

    public ulong Version { get; }

    /// <summary>Unix seconds.</summary>
    public long Issued { get; }

    public IReadOnlyList<ulong> Serials { get; }

    public ReadOnlySpan<byte> Bytes => _bytes;

    private ReadOnlySpan<byte> RootId => _bytes.AsSpan(_bytes.Length - SigningKey.SignatureSize - FleetRoots.IdSize, FleetRoots.IdSize);

    /// <param name="issued">Unix seconds.</param>
    public static RevocationList Create(SigningKey root, ulong version, long issued, IEnumerable<ulong> serials)
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentOutOfRangeException.ThrowIfNegative(issued);
        var sorted = serials.Distinct().Order().ToArray();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sorted.Length, MaxSerials);
        var bytes = new byte[FixedBytes + (8 * sorted.Length)];
        var writer = new WireWriter(bytes);
        writer.U64(version);
        writer.U64((ulong)issued);
        writer.U16((ushort)sorted.Length);
        foreach (var serial in sorted)
        {
            writer.U64(serial);
        }

        FleetRoots.WriteId(root.PublicKey, writer.Reserve(FleetRoots.IdSize));
        root.Sign(SigningInput.GatewayRevocations, bytes.AsSpan(0, writer.Position), bytes.AsSpan(writer.Position));
        return new RevocationList(bytes, version, issued, sorted);
    }

    /// <summary>Checks form only, see <see cref="IsSignedBy"/>.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out RevocationList? list)
    {
        list = null;
        var reader = new WireReader(bytes);
        var version = reader.U64();
        var issued = reader.U64();
        var count = reader.U16();
        if (reader.Failed || count > MaxSerials || issued > long.MaxValue || bytes.Length != FixedBytes + (8 * count))
        {
            return false;
        }

        var serials = new ulong[count];
        for (var i = 0; i < count; i++)
        {
            serials[i] = reader.U64();
            if (i > 0 && serials[i] <= serials[i - 1])
            {
                return false;
            }
        }

        list = new RevocationList(bytes.ToArray(), version, (long)issued, serials);
        return true;
    }

    /// <summary>Parses a list as it stands in a file or in the queue: one line of base64url, white space around it. Checks form only.</summary>
    public static bool TryParseText(ReadOnlySpan<char> text, [NotNullWhen(true)] out RevocationList? list)
    {
        list = null;
        text = text.Trim();
        var bytes = new byte[MaxBytes];
        return text.Length <= Base64Url.GetEncodedLength(MaxBytes) && Base64Url.IsValid(text)
            && Base64Url.TryDecodeFromChars(text, bytes, out var written) && TryParse(bytes.AsSpan(0, written), out list);
    }

    /// <summary>As <see cref="TryParseText"/> reads it, without a line end.</summary>
    public string ToText() => Base64Url.EncodeToString(_bytes);

    public bool IsSignedBy(FleetRoots roots)
    {
        ArgumentNullException.ThrowIfNull(roots);
        var signed = _bytes.Length - SigningKey.SignatureSize;
        return roots.VerifySignature(RootId, SigningInput.GatewayRevocations, _bytes.AsSpan(0, signed), _bytes.AsSpan(signed))
            == RefusalReason.None;
    }

    public bool Contains(ulong serial) => Array.BinarySearch((ulong[])Serials, serial) >= 0;
}
