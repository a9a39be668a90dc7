namespace Streams.Host.Roles;

/// <summary>
/// Leaves Ctrl-C and SIGTERM to the command line. The host's own lifetime would stop the ActorSystem at the signal, before gateway and
/// worker have drained what runs in it.
/// </summary>
internal sealed class CommandLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
