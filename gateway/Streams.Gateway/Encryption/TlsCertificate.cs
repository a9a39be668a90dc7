using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Streams.Gateway.Encryption;

/// <summary>
/// The certificate of a TLS port, from two PEM files: chain and key. The files are looked at again and again, so that whoever renews them need not restart anything:
/// new connections get the new certificate, existing ones stay as they are. Files that cannot be used are told once and the certificate before them stays.
/// </summary>
public sealed class TlsCertificate : IAsyncDisposable
{
    /// <summary>Two small files; a renewal that shows 5 s later is soon enough.</summary>
    public static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(5);

    private const int MaxFileBytes = 1 << 20;

    private readonly string _certificateFile;
    private readonly string _keyFile;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly PeriodicTimer _timer;
    private readonly Task _loop;
    private volatile SslServerAuthenticationOptions _current;
    private (string Certificate, string Key) _seen;
    private long _notAfter;

    private TlsCertificate(string certificateFile, string keyFile, ILogger logger, TimeProvider time, TimeSpan interval)
    {
        _certificateFile = certificateFile;
        _keyFile = keyFile;
        _logger = logger;
        _time = time;
        _seen = Read();
        _current = Make(_seen);
        _timer = new PeriodicTimer(interval, time);
        _loop = Task.Run(WatchAsync);
    }

    /// <summary>For the next connection. TLS versions and ciphers are the system's.</summary>
    public SslServerAuthenticationOptions Current => _current;

    /// <summary>When the certificate in use ends, Unix seconds.</summary>
    public long NotAfter => Interlocked.Read(ref _notAfter);

    /// <exception cref="GatewayException">A file cannot be used; one line says which and why.</exception>
    public static TlsCertificate Load(string certificateFile, string keyFile, ILogger logger, TimeProvider? time = null, TimeSpan? interval = null) =>
        new(certificateFile, keyFile, logger, time ?? TimeProvider.System, interval ?? DefaultInterval);

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _loop.ConfigureAwait(false);
    }

    private async Task WatchAsync()
    {
        var failure = "";
        while (await _timer.WaitForNextTickAsync().ConfigureAwait(false))
        {
            try
            {
                var files = Read();
                if (files == _seen)
                {
                    failure = "";
                    continue;
                }

                _current = Make(files);
                _seen = files;
                failure = "";
                _logger.TlsReloaded(_certificateFile, DateTimeOffset.FromUnixTimeSeconds(NotAfter));
            }
            catch (GatewayException error)
            {
                // Between the renewal of one file and that of the other they do not fit: each state is told once, and looked at again.
                if (error.Message != failure)
                {
                    failure = error.Message;
                    _logger.TlsNotReloaded(failure);
                }
            }
        }
    }

    private (string Certificate, string Key) Read()
    {
        var certificate = Read(_certificateFile);
        if (!OperatingSystem.IsWindows() && (Mode(_keyFile) & UnixFileMode.OtherRead) != 0)
        {
            throw new GatewayException($"TLS key {_keyFile} can be read by everybody: chmod o-r {_keyFile}");
        }

        return (certificate, Read(_keyFile));
    }

    private SslServerAuthenticationOptions Make((string Certificate, string Key) files)
    {
        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(files.Certificate);
        }
        catch (CryptographicException error)
        {
            throw new GatewayException($"TLS certificate {_certificateFile}: {error.Message}", error);
        }

        if (chain.Count == 0)
        {
            throw new GatewayException($"TLS certificate {_certificateFile} holds no certificate: PEM is expected, the server's certificate first");
        }

        CheckDates(chain[0]);
        var leaf = Join(files);
        Interlocked.Exchange(ref _notAfter, new DateTimeOffset(leaf.NotAfter).ToUnixTimeSeconds());
        chain[0].Dispose();
        chain.RemoveAt(0);
        return new SslServerAuthenticationOptions
        {
            // Offline: what is missing of the chain is not fetched over the network while an agent waits.
            ServerCertificateContext = SslStreamCertificateContext.Create(leaf, chain, offline: true),
        };
    }

    private void CheckDates(X509Certificate2 leaf)
    {
        var now = _time.GetUtcNow();
        if (now > leaf.NotAfter.ToUniversalTime())
        {
            throw new GatewayException($"TLS certificate {_certificateFile} expired on {leaf.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC: renew it");
        }

        if (now < leaf.NotBefore.ToUniversalTime())
        {
            throw new GatewayException(
                $"TLS certificate {_certificateFile} is valid from {leaf.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} UTC on, and it is {now:yyyy-MM-dd HH:mm}");
        }
    }

    private X509Certificate2 Join((string Certificate, string Key) files)
    {
        var label = Label(files.Key);
        if (label is null)
        {
            throw new GatewayException($"TLS key {_keyFile} holds no private key in PEM form");
        }

        if (label.StartsWith("ENCRYPTED", StringComparison.Ordinal) || files.Key.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal))
        {
            throw new GatewayException($"TLS key {_keyFile} is encrypted with a password, which nobody is there to give: store it without one");
        }

        try
        {
            return X509Certificate2.CreateFromPem(files.Certificate, files.Key);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            throw new GatewayException($"TLS key {_keyFile} does not belong to the first certificate of {_certificateFile}: {error.Message}", error);
        }
    }

    private static string? Label(string text)
    {
        for (ReadOnlySpan<char> rest = text; PemEncoding.TryFind(rest, out var fields); rest = rest[fields.Location.End..])
        {
            if (rest[fields.Label].EndsWith("PRIVATE KEY", StringComparison.Ordinal))
            {
                return rest[fields.Label].ToString();
            }
        }

        return null;
    }

    private static string Read(string path)
    {
        try
        {
            return new FileInfo(path) is { Exists: true, Length: > MaxFileBytes }
                ? throw new GatewayException($"{path}: larger than {MaxFileBytes} bytes, which is no PEM file") : File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new GatewayException($"{path}: {error.Message}", error);
        }
    }

    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static UnixFileMode Mode(string path)
    {
        try
        {
            return File.GetUnixFileMode(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new GatewayException($"{path}: {error.Message}", error);
        }
    }
}
