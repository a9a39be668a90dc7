using Microsoft.Extensions.Logging;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Auth;

/// <summary>
/// The gateway's key and certificate, looked at again and again: who renews them restarts nothing. New handshakes show the new ones; living
/// sessions go on under what they were shown. Files that cannot be used are told once, and those before them stay.
/// </summary>
internal sealed class GatewayKeys : IAsyncDisposable
{
    private readonly GatewayOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly PeriodicTimer _timer;
    private readonly Task _loop;

    // Sessions sign with what the handshake showed: keys are kept until the end.
    private readonly List<GatewayIdentity> _all = [];
    private volatile GatewayIdentity _current;

    /// <exception cref="GatewayException">A file cannot be used; one line says which and why.</exception>
    public GatewayKeys(GatewayOptions options, ILogger logger, TimeProvider time)
    {
        _options = options;
        _logger = logger;
        _time = time;
        _all.Add(_current = Read());
        _timer = new PeriodicTimer(options.KeysInterval, time);
        _loop = Task.Run(WatchAsync);
    }

    public GatewayIdentity Current => _current;

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _loop.ConfigureAwait(false);
        _all.ForEach(identity => identity.Dispose());
    }

    private GatewayIdentity Read() => GatewayFiles.ReadIdentity(_options, _time.GetUtcNow().ToUnixTimeSeconds());

    private async Task WatchAsync()
    {
        var failure = "";
        var seen = Stamp();
        while (await _timer.WaitForNextTickAsync().ConfigureAwait(false))
        {
            var stamp = Stamp();
            if (stamp == seen)
            {
                continue;
            }

            try
            {
                Take(Read());
                seen = stamp;
                failure = "";
            }
            catch (GatewayException error)
            {
                // Between the renewal of one file and that of the other they do not fit: each state is told once, and looked at again.
                if (error.Message != failure)
                {
                    failure = error.Message;
                    _logger.CertificateNotReloaded(failure);
                }
            }
        }
    }

    private void Take(GatewayIdentity identity)
    {
        if (identity.Certificate.Bytes.SequenceEqual(_current.Certificate.Bytes))
        {
            identity.Dispose();
            return;
        }

        _all.Add(identity);
        _current = identity;
        var certificate = identity.Certificate;
        _logger.CertificateReloaded(certificate.Name, certificate.Serial, DateTimeOffset.FromUnixTimeSeconds(certificate.NotAfter));
    }

    private (DateTime, long, DateTime, long) Stamp()
    {
        var key = new FileInfo(_options.KeyFile);
        var certificate = new FileInfo(_options.CertificateFile);
        return key.Exists && certificate.Exists
            ? (key.LastWriteTimeUtc, key.Length, certificate.LastWriteTimeUtc, certificate.Length) : default;
    }
}
