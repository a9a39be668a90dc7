using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Streams.AgentLink.Connect;

namespace Streams.AgentLink.Tls;

/// <summary>
/// TLS by the platform, with the system's versions and ciphers. The server's chain must end at an authority of the system, or at one of a file when one is given, and its
/// certificate must be for the host. Who the gateway is, is proved by the handshake inside all the same.
/// </summary>
/// <param name="authorityFile">PEM certificates that are trusted instead of the system's; read at every connection, so that it can be renewed.</param>
public sealed class TlsClient(string? authorityFile) : ITlsClient
{
    public async ValueTask<Stream> SecureAsync(Stream plain, string host, CancellationToken cancellation)
    {
        var wrong = "";
        var secured = new SslStream(plain, leaveInnerStreamOpen: false);
        try
        {
            var options = new SslClientAuthenticationOptions
            {
                TargetHost = host,
                ApplicationProtocols = [SslApplicationProtocol.Http11],
                CertificateChainPolicy = Policy(),
                RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                {
                    wrong = Describe(certificate, chain, errors, host);
                    return errors == SslPolicyErrors.None;
                },
            };
            await secured.AuthenticateAsClientAsync(options, cancellation).ConfigureAwait(false);
            return secured;
        }
        catch (Exception error) when (error is AuthenticationException or IOException or CryptographicException)
        {
            await secured.DisposeAsync().ConfigureAwait(false);
            throw new IOException(wrong.Length > 0 ? $"TLS: {wrong}" : $"TLS: there was no handshake: {Innermost(error)}", error);
        }
        catch
        {
            await secured.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private X509ChainPolicy Policy()
    {
        // No revocation lists: fetching them would be another connection, to somebody whom the operator has not named.
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        if (authorityFile is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            try
            {
                policy.CustomTrustStore.ImportFromPemFile(authorityFile);
            }
            catch (Exception error) when (error is CryptographicException or UnauthorizedAccessException)
            {
                throw new IOException($"{authorityFile}: {error.Message}", error);
            }

            if (policy.CustomTrustStore.Count == 0)
            {
                throw new IOException($"{authorityFile} holds no certificate in PEM form");
            }
        }

        return policy;
    }

    private static string Describe(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, string host)
    {
        if (certificate is null)
        {
            return "the server showed no certificate";
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return $"the certificate is not for {host}";
        }

        var problems = chain is null ? [] : chain.ChainStatus.Select(status => status.Status.ToString()).Distinct();
        return errors == SslPolicyErrors.None ? "" : $"the certificate is not trusted: {string.Join(", ", problems)}";
    }

    private static string Innermost(Exception error)
    {
        while (error.InnerException is { } inner)
        {
            error = inner;
        }

        return error.Message;
    }
}
