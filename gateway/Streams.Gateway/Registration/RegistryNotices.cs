using System.Buffers.Text;
using System.Threading.Channels;
using Streams.Control.Identity;
using Streams.Gateway.Sessions;
using Streams.Queue;

namespace Streams.Gateway.Registration;

/// <summary>
/// Tells the Registry what was seen of agents, until it has it. Bound: 1,024 that wait; a further one is dropped and counted, and seen again
/// with the agent's next session.
/// </summary>
internal sealed class RegistryNotices : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Channel<RegistryNotice> _waiting = System.Threading.Channels.Channel.CreateBounded<RegistryNotice>(
        new BoundedChannelOptions(1024) { SingleReader = true });
    private readonly ServiceCaller _registry;
    private readonly string _gateway;
    private readonly GatewayMetrics _metrics;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    public RegistryNotices(ServiceCaller registry, string gateway, GatewayMetrics metrics)
    {
        _registry = registry;
        _gateway = gateway;
        _metrics = metrics;
        _loop = Task.Run(TellAsync);
    }

    public void Tell(AgentSession session, string agentId, NoticeKind kind, string detail)
    {
        var notice = new RegistryNotice(_gateway, session.Remote, agentId, kind, Base64Url.EncodeToString(session.AgentKey.Span), detail);
        if (!_waiting.Writer.TryWrite(notice))
        {
            _metrics.Error("registry_notice");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task TellAsync()
    {
        await foreach (var notice in _waiting.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
        {
            var bytes = IdentityJson.Write(notice, IdentityJson.Default.RegistryNotice);
            while (await _registry.AskAsync(Subjects.Registry("notice"), bytes, Patience, _stop.Token).ConfigureAwait(false) is null)
            {
                await Task.Delay(Pause, _stop.Token).ConfigureAwait(false);
            }
        }
    }
}
