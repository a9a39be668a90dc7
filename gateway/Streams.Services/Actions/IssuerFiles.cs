using System.Buffers.Text;
using Streams.Control.Commands;
using Streams.Wire.Keys;

namespace Streams.Services.Actions;

/// <summary>Reads the services' key and its certificate from their files.</summary>
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

        var text = File.Exists(certificateFile) ? File.ReadAllText(certificateFile).Trim() : "";
        if (!Base64Url.IsValid(text) || !IssuerCertificate.TryParse(Base64Url.DecodeFromChars(text), out var certificate)
            || !certificate!.PublicKey.SequenceEqual(key!.PublicKey))
        {
            key!.Dispose();
            throw new ServicesException($"{certificateFile}: not a service certificate for {keyFile}");
        }

        return new CommandIssuer(key, certificate, time);
    }
}
