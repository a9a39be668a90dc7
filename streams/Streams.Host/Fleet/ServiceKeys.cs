using System.Text;
using Streams.Control.Operators;
using Streams.Host.Terminal;
using Streams.Local;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Host.Fleet;

/// <summary>
/// What the services of one machine's instance need beside the fleet's keys, made at the first start: the key that signs commands which only
/// look, its certificate, renewed as the gateway's is, and an admin's token for who may read this directory.
/// </summary>
internal sealed class ServiceKeys
{
    public const string TokenFileName = "admin.token";
    public const string CertificateFileName = "service.cert";

    /// <summary>Name in the certificate.</summary>
    private const string Name = "actions";

    private static readonly TimeSpan CertificateLife = TimeSpan.FromDays(90);

    private readonly string _directory;

    private ServiceKeys(string directory) => _directory = directory;

    public string KeyFile => Path.Combine(_directory, "service.key");

    public string CertificateFile => Path.Combine(_directory, CertificateFileName);

    public string AdminTokenFile => Path.Combine(_directory, TokenFileName);

    /// <summary>Makes what is not there.</summary>
    /// <exception cref="CommandFailure">A key file is damaged, of another kind, or may be read by others.</exception>
    public static ServiceKeys Open(FleetKeys fleet, string directory, DateTimeOffset now)
    {
        var keys = new ServiceKeys(directory);
        keys.OpenCertificate(fleet, now);
        if (!File.Exists(keys.AdminTokenFile))
        {
            SecretFile.Write(keys.AdminTokenFile, Encoding.ASCII.GetBytes(OperatorToken.NewRandom().Reveal() + "\n"));
        }
        return keys;
    }

    private void OpenCertificate(FleetKeys fleet, DateTimeOffset now)
    {
        using var key = FleetKeys.OpenKey(KeyFile, KeyFileKind.Service);
        FleetCertificate.TryParseText(File.Exists(CertificateFile) ? File.ReadAllText(CertificateFile) : "", out var certificate);
        var roots = new FleetRoots(fleet.Root);
        if (certificate is not null && certificate.PublicKey.SequenceEqual(key.PublicKey)
            // Once they had numbers of their own, which may be a gateway's too: such a one would be revoked with that.
            && fleet.Serials.EndOf(certificate.Serial) is not null
            && now <= DateTimeOffset.FromUnixTimeSeconds(certificate.NotAfter) - (CertificateLife / 3)
            && roots.Verify(certificate, CertificateUse.Service, now.ToUnixTimeSeconds()) == RefusalReason.None)
        {
            return;
        }
        using var root = FleetKeys.OpenKey(fleet.RootFile, KeyFileKind.Root);
        FleetKeys.WriteCertificate(CertificateFile, fleet.Issue(root, CertificateUse.Service, Name, key.PublicKey, CertificateLife, now));
    }
}
