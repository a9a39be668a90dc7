using System.Text;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Gateway;

/// <summary>Reads the gateway's files; every failure is one line that names the file.</summary>
internal static class GatewayFiles
{
    public static GatewayIdentity ReadIdentity(GatewayOptions options, long unixSeconds)
    {
        var key = ReadKey(options.KeyFile);
        try
        {
            var certificate = ReadCertificate(options.CertificateFile);
            if (unixSeconds > certificate.NotAfter)
            {
                var ended = DateTimeOffset.FromUnixTimeSeconds(certificate.NotAfter);
                throw new GatewayException($"{options.CertificateFile}: the certificate ended {ended:u}: have a fleet root sign a new one");
            }

            return new GatewayIdentity(key, certificate);
        }
        catch (ArgumentException)
        {
            key.Dispose();
            throw new GatewayException($"{options.CertificateFile}: the certificate is for another key than {options.KeyFile}");
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    public static string ReadSeed(string path)
    {
        var text = Encoding.ASCII.GetString(Read(path, KeyFile.MaxBytes)).Trim();
        return text.StartsWith("SU", StringComparison.Ordinal) ? text : throw new GatewayException($"{path}: not an NKey seed of a user: one line that begins with SU");
    }

    private static SigningKey ReadKey(string path)
    {
        var content = Read(path, KeyFile.MaxBytes + 1);
        return KeyFile.TryParse(path, content, KeyFileKind.Gateway, out var key, out var error) ? key! : throw new GatewayException(error!);
    }

    private static FleetCertificate ReadCertificate(string path)
    {
        try
        {
            if (FleetCertificate.TryParseText(File.ReadAllText(path), out var certificate))
            {
                return certificate;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new GatewayException($"{path}: {error.Message}", error);
        }

        throw new GatewayException($"{path}: not a gateway certificate: one line of base64url");
    }

    private static byte[] Read(string path, int most)
    {
        try
        {
            if (!OperatingSystem.IsWindows() && KeyFile.CheckMode(path, File.GetUnixFileMode(path)) is { } wrong)
            {
                throw new GatewayException(wrong);
            }

            var content = File.ReadAllBytes(path);
            return content.Length <= most ? content : throw new GatewayException($"{path}: not a key file: {content.Length} bytes");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new GatewayException($"{path}: {error.Message}", error);
        }
    }
}
