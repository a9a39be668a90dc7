namespace Streams.Gateway.Tests.Support;

/// <summary>A link that runs until the test ends, however it ends: a link may be disposed only when it has ended.</summary>
internal sealed class LinkRun : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    private LinkRun(AgentLink.AgentLink link) => _running = link.RunAsync(_stop.Token).AsTask();

    public static LinkRun Start(AgentLink.AgentLink link) => new(link);

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }
}
