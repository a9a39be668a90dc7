using Akka.Actor;
using Akka.Streams;
using Streams.Stages;

namespace Streams.Microbench.Stages;

/// <summary>An actor system configured as the server's.</summary>
internal sealed class GraphSystem : IDisposable
{
    // Nothing on the console between the figures.
    private readonly ActorSystem _system = ActorSystem.Create(
        "microbench", GraphSettings.Configuration.WithFallback("akka { loglevel = ERROR, stdout-loglevel = ERROR, log-dead-letters = off }"));

    public GraphSystem() => Materializer = GraphSettings.CreateMaterializer(_system, "bench");

    public ActorMaterializer Materializer { get; }

    public void Dispose()
    {
        Materializer.Dispose();
        _system.Terminate().Wait(TimeSpan.FromSeconds(10));
        _system.Dispose();
    }
}
