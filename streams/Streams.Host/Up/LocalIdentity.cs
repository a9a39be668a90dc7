using System.Threading.Channels;
using Streams.Host.Fleet;
using Streams.Local;

namespace Streams.Host.Up;

/// <summary>
/// Lets this machine's agent in again whenever the queue or the gateway was started anew: a queue whose store was lost knows no agent, and
/// a gateway that starts with it would refuse ours for ever. What is known of it there is left as it is.
/// </summary>
internal sealed class LocalIdentity : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // One wish is as good as many.
    private readonly Channel<bool> _wishes =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Endpoints _endpoints;
    private readonly AgentSetup _setup;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;

    private LocalIdentity(Endpoints endpoints, AgentSetup setup)
    {
        _endpoints = endpoints;
        _setup = setup;
        _run = Task.Run(RunAsync);
    }

    /// <summary>Puts the identity the first time and goes on from there.</summary>
    /// <exception cref="Queue.QueueException">The queue refused.</exception>
    public static async Task<LocalIdentity> PutAsync(Endpoints endpoints, AgentSetup setup, CancellationToken stop)
    {
        await PutOnceAsync(endpoints, setup, stop);
        return new LocalIdentity(endpoints, setup);
    }

    /// <summary>Asks for it; any thread.</summary>
    public void PutAgain() => _wishes.Writer.TryWrite(true);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private static async Task PutOnceAsync(Endpoints endpoints, AgentSetup setup, CancellationToken stop)
    {
        await using var identities = await Identities.OpenAsync(endpoints, stop);
        await identities.PutAsync(setup.AgentId, setup.ReadPublicKey, Environment.MachineName, stop);
    }

    private async Task RunAsync()
    {
        while (true)
        {
            await _wishes.Reader.ReadAsync(_stop.Token);
            while (!await TryAsync())
            {
                await Task.Delay(Pause, _stop.Token);
            }
        }
    }

    // Until the worker has made the bucket anew there is nowhere to put it.
    private async Task<bool> TryAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        patience.CancelAfter(Patience);
        try
        {
            await PutOnceAsync(_endpoints, _setup, patience.Token);
            return true;
        }
        catch (Exception) when (!_stop.IsCancellationRequested)
        {
            return false;
        }
    }
}
