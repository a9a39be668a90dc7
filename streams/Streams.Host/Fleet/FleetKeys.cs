using Streams.Host.Terminal;
using Streams.Local;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Host.Fleet;

/// <summary>
/// The keys of one machine's instance, made at the first start: the fleet root that agents pin, a gateway key with a certificate signed by
/// the root, and the key of the local agent. The certificate is renewed at a start when less than a third of its life is left.
/// </summary>
internal sealed class FleetKeys
{
    private static readonly TimeSpan CertificateLife = TimeSpan.FromDays(90);

    private readonly string _directory;

    private FleetKeys(string directory, byte[] root, byte[]? next, FleetCertificate certificate)
    {
        _directory = directory;
        NextRoot = next;
        Root = root;
        Certificate = certificate;
    }

    /// <summary>Ed25519 public key of the fleet root, 32 bytes.</summary>
    public byte[] Root { get; }

    /// <summary>The root that agents pin beside it, when one was made; `keys root promote` puts it in its place.</summary>
    public byte[]? NextRoot { get; }

    public FleetCertificate Certificate { get; private set; }

    public string NextRootFile => Path.Combine(_directory, "fleet-root.next.key");

    /// <summary>The root before, kept: it can still sign for agents that never pinned the present one.</summary>
    public string OldRootFile => Path.Combine(_directory, "fleet-root.old.key");

    public string RootFile => Path.Combine(_directory, "fleet-root.key");

    public string GatewayKeyFile => Path.Combine(_directory, "gateway.key");

    public string GatewayCertificateFile => Path.Combine(_directory, "gateway.cert");

    /// <summary>Reads the keys of the directory; makes what is not there.</summary>
    /// <exception cref="CommandFailure">A key file is damaged, of another kind, or may be read by others.</exception>
    public static FleetKeys Open(string directory, DateTimeOffset now)
    {
        using var root = OpenKey(Path.Combine(directory, "fleet-root.key"), KeyFileKind.Root);
        using var gateway = OpenKey(Path.Combine(directory, "gateway.key"), KeyFileKind.Gateway);
        var file = Path.Combine(directory, "gateway.cert");
        var certificate = ReadCertificate(file);
        var renewAt = certificate is null ? DateTimeOffset.MinValue
            : DateTimeOffset.FromUnixTimeSeconds(certificate.NotAfter) - CertificateLife / 3;
        var nextFile = Path.Combine(directory, "fleet-root.next.key");
        using var next = File.Exists(nextFile) ? OpenKey(nextFile, KeyFileKind.Root) : null;
        var roots = next is null ? new FleetRoots(root.PublicKey.ToArray()) : new FleetRoots(root.PublicKey.ToArray(), next.PublicKey.ToArray());
        var needed = certificate is null || now > renewAt || !certificate.PublicKey.SequenceEqual(gateway.PublicKey)
            || roots.Verify(certificate, CertificateUse.Gateway, now.ToUnixTimeSeconds()) != RefusalReason.None;
        var keys = new FleetKeys(directory, root.PublicKey.ToArray(), next?.PublicKey.ToArray(), certificate!);
        if (needed)
        {
            keys.Renew(root, certificate?.Name ?? "gateway", gateway.PublicKey, CertificateLife, now);
        }
        return keys;
    }

    /// <summary>Serials of this directory's certificates: one number for all uses, so that a revoked one means one certificate.</summary>
    public SerialRegister Serials => new(Path.Combine(_directory, "serials"));

    /// <summary>The newest signed list of revoked certificates.</summary>
    public string RevocationsFile => Path.Combine(_directory, "revocations");

    /// <summary>The newest root's statement about the next one.</summary>
    public string SuccessionFile => Path.Combine(_directory, "succession");

    /// <summary>Whose word about revoked certificates counts here: a list outlives the root that signed it.</summary>
    public IEnumerable<FleetRoots> SignersOfLists()
    {
        yield return NextRoot is null ? new FleetRoots(Root) : new FleetRoots(Root, NextRoot);
        if (File.Exists(OldRootFile))
        {
            using var old = OpenKey(OldRootFile, KeyFileKind.Root);
            yield return new FleetRoots(old.PublicKey.ToArray());
        }
    }

    /// <summary>Has a root sign for a key, with a serial that no certificate of this directory had.</summary>
    public FleetCertificate Issue(SigningKey root, CertificateUse use, string name, ReadOnlySpan<byte> key, TimeSpan life, DateTimeOffset now)
    {
        var end = now.Add(life).ToUnixTimeSeconds();
        var serial = Serials.Next(Certificate?.Serial ?? 0, end);
        return FleetCertificate.Create(root, use, name, key, now.AddMinutes(-5).ToUnixTimeSeconds(), end, serial);
    }

    /// <summary>Issues a certificate for this instance's gateway, which takes it within seconds.</summary>
    public void Renew(SigningKey root, string name, ReadOnlySpan<byte> key, TimeSpan life, DateTimeOffset now)
    {
        Certificate = Issue(root, CertificateUse.Gateway, name, key, life, now);
        WriteCertificate(GatewayCertificateFile, Certificate);
    }

    public static void WriteCertificate(string file, FleetCertificate certificate) =>
        SecretFile.Write(file, System.Text.Encoding.ASCII.GetBytes(certificate.ToText()));

    /// <summary>Opens or makes a key file of mode 0600.</summary>
    public static SigningKey OpenKey(string path, KeyFileKind kind)
    {
        if (!File.Exists(path))
        {
            var created = SigningKey.Generate();
            SecretFile.Write(path, KeyFile.Format(kind, created));
            return created;
        }
        if (KeyFile.CheckMode(path, File.GetUnixFileMode(path)) is { } mode)
        {
            throw new CommandFailure(mode);
        }
        return KeyFile.TryParse(path, File.ReadAllBytes(path), kind, out var key, out var error) ? key! : throw new CommandFailure(error!);
    }

    private static FleetCertificate? ReadCertificate(string file)
    {
        if (!File.Exists(file))
        {
            return null;
        }
        if (!FleetCertificate.TryParseText(File.ReadAllText(file), out var certificate))
        {
            throw new CommandFailure($"{file}: not a gateway certificate; delete it to have a new one made at the next start");
        }
        return certificate;
    }
}
