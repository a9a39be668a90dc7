using System.Text;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Control.Commands;

/// <summary>
/// A fleet root's statement that a key may sign commands, in the form of the gateway's certificate: <c>name str8 ‖ key 32 ‖ not_before
/// u64 ‖ not_after u64 ‖ serial u64 ‖ root_id 8 ‖ root_sig 64</c>, times in Unix seconds. What it is good for is in the signing context
/// ("service certificate", "operator certificate"), not in a field: a gateway's certificate, or one of the other signer, does not verify.
/// </summary>
public sealed class IssuerCertificate
{
    internal const int MinBytes = 1 + 1 + SigningKey.PublicKeySize + 8 + 8 + 8 + FleetRoots.IdSize + SigningKey.SignatureSize;
    internal const int MaxBytes = MinBytes - 1 + Limits.MaxNameBytes;

    private readonly byte[] _bytes;

    private IssuerCertificate(byte[] bytes, string name, long notBefore, long notAfter, ulong serial)
    {
        _bytes = bytes;
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

    public ReadOnlySpan<byte> PublicKey => _bytes.AsSpan(1 + Name.Length, SigningKey.PublicKeySize);

    public ReadOnlySpan<byte> Bytes => _bytes;

    private ReadOnlySpan<byte> Signed => _bytes.AsSpan(0, _bytes.Length - SigningKey.SignatureSize);

    /// <param name="notBefore">Unix seconds, as <paramref name="notAfter"/>.</param>
    public static IssuerCertificate Create(
        SigningKey root, CommandSigner signer, string name, ReadOnlySpan<byte> key, long notBefore, long notAfter, ulong serial)
    {
        ArgumentNullException.ThrowIfNull(root);
        if (!AgentId.IsValid(name))
        {
            throw new ArgumentException("an issuer's name matches [a-z0-9][a-z0-9-]{0,62}", nameof(name));
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
        var certificate = new IssuerCertificate(bytes, name, notBefore, notAfter, serial);
        root.Sign(Context(signer), certificate.Signed, bytes.AsSpan(writer.Position));
        return certificate;
    }

    /// <summary>Checks form only, see <see cref="Verify"/>.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out IssuerCertificate? certificate)
    {
        certificate = null;
        if (bytes.Length is < MinBytes or > MaxBytes)
        {
            return false;
        }

        var reader = new WireReader(bytes);
        var name = reader.Str8(Limits.MaxNameBytes);
        _ = reader.Bytes(SigningKey.PublicKeySize);
        var notBefore = reader.U64();
        var notAfter = reader.U64();
        var serial = reader.U64();
        _ = reader.Bytes(FleetRoots.IdSize + SigningKey.SignatureSize);
        if (!reader.AtEnd || !AgentId.IsValid(name) || notBefore > long.MaxValue || notAfter > long.MaxValue || notAfter < notBefore)
        {
            return false;
        }

        certificate = new IssuerCertificate(bytes.ToArray(), Encoding.ASCII.GetString(name), (long)notBefore, (long)notAfter, serial);
        return true;
    }

    /// <summary>Checks that a pinned root certified it for this signer, and its dates at a Unix second.</summary>
    public RefusalReason Verify(FleetRoots roots, CommandSigner signer, long second)
    {
        ArgumentNullException.ThrowIfNull(roots);
        var rootId = _bytes.AsSpan(_bytes.Length - SigningKey.SignatureSize - FleetRoots.IdSize, FleetRoots.IdSize);
        var reason = roots.VerifySignature(rootId, Context(signer), Signed, _bytes.AsSpan(Signed.Length));
        return reason != RefusalReason.None ? reason
            : second < NotBefore ? RefusalReason.CertificateNotYetValid
            : second > NotAfter ? RefusalReason.CertificateExpired
            : RefusalReason.None;
    }

    private static string Context(CommandSigner signer) => signer switch
    {
        CommandSigner.Service => "service certificate",
        CommandSigner.Operator => "operator certificate",
        _ => throw new ArgumentOutOfRangeException(nameof(signer)),
    };
}
