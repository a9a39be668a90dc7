using Streams.Host.Fleet;
using Streams.Host.Terminal;

namespace Streams.Host.Up;

/// <summary>
/// Has the fleet root sign again for this instance's gateway and services when a third of a certificate's usual life is left: an instance may run longer than
/// that, and agents refuse a gateway whose certificate has ended. Gateway and services take the new file without a restart.
/// </summary>
internal sealed class CertificateRenewal : IAsyncDisposable
{
    /// <summary>A look costs four small files and two signature checks.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    private readonly string _directory;
    private readonly Action<string> _say;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;
    private string _trouble = "";

    public CertificateRenewal(string directory, Action<string> say)
    {
        _directory = directory;
        _say = say;
        _run = RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Every);
        while (await timer.WaitForNextTickAsync(_stop.Token))
        {
            Renew();
        }
    }

    private void Renew()
    {
        try
        {
            using var alone = KeysLock.TryTake(_directory);
            if (alone is null)
            {
                return;
            }
            var now = DateTimeOffset.UtcNow;
            ServiceKeys.Open(FleetKeys.Open(_directory, now), _directory, now);
            _trouble = "";
        }
        catch (Exception failure) when (failure is CommandFailure or IOException or UnauthorizedAccessException)
        {
            // Said once: it stays so until somebody mends it, and there are 30 days for that.
            if (_trouble != failure.Message)
            {
                _trouble = failure.Message;
                _say($"certificates are not renewed: {failure.Message}");
            }
        }
    }
}
