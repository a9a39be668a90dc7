using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Streams.Testing;

/// <summary>An authority of a test and server certificates of it, as PEM files.</summary>
public sealed class TestCertificates : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _authority;
    private readonly string _directory;

    public TestCertificates(string directory)
    {
        _directory = directory;
        var request = new CertificateRequest("CN=test authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-2), DateTimeOffset.UtcNow.AddYears(2));
        File.WriteAllText(AuthorityFile, _authority.ExportCertificatePem());
    }

    public X509Certificate2 Authority => _authority;

    public string AuthorityFile => Path.Combine(_directory, "authority.pem");

    public string CertificateFile => Path.Combine(_directory, "server.pem");

    public string KeyFile => Path.Combine(_directory, "server.key");

    /// <summary>Writes a server certificate and its key over the files; its serial number.</summary>
    /// <param name="names">Host names and addresses that it is for.</param>
    public string Issue(string[]? names = null, DateTimeOffset? from = null, DateTimeOffset? to = null, bool certificate = true, bool key = true)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", pair, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names ?? ["localhost", "127.0.0.1"])
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        var serial = RandomNumberGenerator.GetBytes(8);
        serial[0] = (byte)((serial[0] & 0x7f) | 1);
        using var issued = request.Create(_authority, from ?? DateTimeOffset.UtcNow.AddHours(-1), to ?? DateTimeOffset.UtcNow.AddDays(30), serial);
        if (certificate)
        {
            Replace(CertificateFile, issued.ExportCertificatePem());
        }

        if (key)
        {
            Replace(KeyFile, pair.ExportPkcs8PrivateKeyPem());
        }

        return issued.SerialNumber;
    }

    public void Dispose()
    {
        _authority.Dispose();
        _key.Dispose();
    }

    /// <summary>By renaming, as programs that renew certificates do: a reader never sees half a file.</summary>
    private static void Replace(string path, string text)
    {
        var next = path + ".next";
        File.WriteAllText(next, text);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(next, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        File.Move(next, path, overwrite: true);
    }
}
