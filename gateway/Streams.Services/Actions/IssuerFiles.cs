using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Services.Actions;

/// <summary>Reads the services' key and its certificate from their files; a certificate that is written anew is taken without a restart.</summary>
internal static class IssuerFiles
{
    /// <exception cref="ServicesException">A file is not there, damaged, of another kind, or may be read by others; one line names it.</exception>
    public static CommandIssuer Read(string keyFile, string certificateFile, TimeProvider time)
    {
        if (!File.Exists(keyFile))
        {
            throw new ServicesException($"{keyFile}: no such file; give the services' key with --service-key");
        }

        if (KeyFile.CheckMode(keyFile, File.GetUnixFileMode(keyFile)) is { } mode)
        {
            throw new ServicesException(mode);
        }

        if (!KeyFile.TryParse(keyFile, File.ReadAllBytes(keyFile), KeyFileKind.Service, out var key, out var error))
        {
            throw new ServicesException(error!);
        }

        if (TryReadCertificate(certificateFile) is not { } certificate || !certificate.PublicKey.SequenceEqual(key!.PublicKey))
        {
            key!.Dispose();
            throw new ServicesException($"{certificateFile}: not a service certificate for {keyFile}");
        }

        var read = File.GetLastWriteTimeUtc(certificateFile);
        return new CommandIssuer(key, certificate, time, () =>
        {
            var written = File.GetLastWriteTimeUtc(certificateFile);
            if (written == read || TryReadCertificate(certificateFile) is not { } next)
            {
                return null;
            }

            read = written;
            return next;
        });
    }

    private static FleetCertificate? TryReadCertificate(string file)
    {
        try
        {
            return FleetCertificate.TryParseText(File.ReadAllText(file), out var certificate) ? certificate : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
