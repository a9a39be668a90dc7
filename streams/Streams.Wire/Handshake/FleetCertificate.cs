using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Streams.Wire.Crypto;
using Streams.Wire.Messages;

namespace Streams.Wire.Handshake;

/// <summary>What a fleet root certifies a key for.</summary>
public enum CertificateUse
{
    /// <summary>To be a gateway of the fleet.</summary>
    Gateway,

    /// <summary>To sign commands for the backend services.</summary>
    Service,

    /// <summary>To sign commands as a person.</summary>
    Operator,
}

/// <summary>
/// A fleet root's statement about a key: <c>name str8 ‖ key 32 ‖ not_before u64 ‖ not_after u64 ‖ serial u64 ‖ root_id 8 ‖ root_sig 64</c>,
/// times in Unix seconds, root_sig = sign(root, "gateway certificate", everything before it). The use is in the signing context ("service
/// certificate", "operator certificate") and not in a field, so that a certificate verifies for its own use alone.
/// </summary>
public sealed class FleetCertificate
{
    internal const int MinBytes = 1 + 1 + SigningKey.PublicKeySize + 8 + 8 + 8 + FleetRoots.IdSize + SigningKey.SignatureSize;
    internal const int MaxBytes = MinBytes - 1 + Limits.MaxNameBytes;

    private readonly byte[] _bytes;
    private readonly int _keyAt;

    private FleetCertificate(byte[] bytes, string name, long notBefore, long notAfter, ulong serial)
    {
        _bytes = bytes;
        _keyAt = 1 + name.Length;
        Name = name;
        NotBefore = notBefore;
        NotAfter = notAfter;
        Serial = serial;
    }

    public string Name { get; }

    /// <summary>First valid Unix second.</summary>
    public long NotBefore { get; }

    /// <summary>Last valid Unix second.</summary>
    public long NotAfter { get; }

    public ulong Serial { get; }

    public ReadOnlySpan<byte> PublicKey => _bytes.AsSpan(_keyAt, SigningKey.PublicKeySize);

    /// <summary>The whole certificate as it goes into M1 and into a file.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    internal ReadOnlySpan<byte> Signed => _bytes.AsSpan(0, _bytes.Length - SigningKey.SignatureSize);

    internal ReadOnlySpan<byte> RootSignature => _bytes.AsSpan(_bytes.Length - SigningKey.SignatureSize);

    internal ReadOnlySpan<byte> RootId => _bytes.AsSpan(_bytes.Length - SigningKey.SignatureSize - FleetRoots.IdSize, FleetRoots.IdSize);

    /// <summary>Signs a certificate. <paramref name="notBefore"/> and <paramref name="notAfter"/> are Unix seconds.</summary>
    public static FleetCertificate Create(
        SigningKey root, CertificateUse use, string name, ReadOnlySpan<byte> key, long notBefore, long notAfter, ulong serial)
    {
        ArgumentNullException.ThrowIfNull(root);
        if (!AgentId.IsValid(name))
        {
            throw new ArgumentException("a certified name matches [a-z0-9][a-z0-9-]{0,62}", nameof(name));
        }

        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, SigningKey.PublicKeySize);
        ArgumentOutOfRangeException.ThrowIfNegative(notBefore);
        ArgumentOutOfRangeException.ThrowIfLessThan(notAfter, notBefore);
        var bytes = new byte[MinBytes - 1 + name.Length];
        var writer = new WireWriter(bytes);
        writer.Str8(Encoding.ASCII.GetBytes(name));
        writer.Bytes(key);
        writer.U64((ulong)notBefore);
        writer.U64((ulong)notAfter);
        writer.U64(serial);
        FleetRoots.WriteId(root.PublicKey, writer.Reserve(FleetRoots.IdSize));
        var signed = writer.Position;
        root.Sign(Context(use), bytes.AsSpan(0, signed), bytes.AsSpan(signed));
        return new FleetCertificate(bytes, name, notBefore, notAfter, serial);
    }

    /// <summary>Parses exactly one certificate; checks form only, see <see cref="FleetRoots.Verify"/>.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out FleetCertificate? certificate)
    {
        var reader = new WireReader(bytes);
        certificate = Read(ref reader);
        if (!reader.AtEnd)
        {
            certificate = null;
        }

        return certificate is not null;
    }

    /// <summary>Parses a certificate as it stands in a file: one line of base64url, white space around it.</summary>
    public static bool TryParseText(ReadOnlySpan<char> text, [NotNullWhen(true)] out FleetCertificate? certificate)
    {
        certificate = null;
        text = text.Trim();
        var bytes = new byte[MaxBytes];
        return text.Length <= Base64Url.GetEncodedLength(MaxBytes) && Base64Url.IsValid(text)
            && Base64Url.TryDecodeFromChars(text, bytes, out var written) && TryParse(bytes.AsSpan(0, written), out certificate);
    }

    /// <summary>As <see cref="TryParseText"/> reads it, with a line end.</summary>
    public string ToText() => Base64Url.EncodeToString(_bytes) + "\n";

    /// <summary>Reads a certificate inside a message; null when it is malformed.</summary>
    internal static FleetCertificate? Read(scoped ref WireReader reader)
    {
        var name = reader.Str8(Limits.MaxNameBytes);
        var key = reader.Bytes(SigningKey.PublicKeySize);
        var notBefore = reader.U64();
        var notAfter = reader.U64();
        var serial = reader.U64();
        var rootId = reader.Bytes(FleetRoots.IdSize);
        var signature = reader.Bytes(SigningKey.SignatureSize);
        if (reader.Failed || !AgentId.IsValid(name) || notBefore > long.MaxValue || notAfter > long.MaxValue || notAfter < notBefore)
        {
            return null;
        }

        var bytes = new byte[MinBytes - 1 + name.Length];
        var writer = new WireWriter(bytes);
        writer.Str8(name);
        writer.Bytes(key);
        writer.U64(notBefore);
        writer.U64(notAfter);
        writer.U64(serial);
        writer.Bytes(rootId);
        writer.Bytes(signature);
        return new FleetCertificate(bytes, Encoding.ASCII.GetString(name), (long)notBefore, (long)notAfter, serial);
    }

    internal static string Context(CertificateUse use) => use switch
    {
        CertificateUse.Gateway => "gateway certificate",
        CertificateUse.Service => "service certificate",
        CertificateUse.Operator => "operator certificate",
        _ => throw new ArgumentOutOfRangeException(nameof(use)),
    };
}
