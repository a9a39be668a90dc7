using Akka.Actor;
using Akka.Configuration;
using Akka.Streams;
using Akka.Streams.Supervision;

namespace Streams.Stages;

/// <summary>
/// How every graph of the data path runs. Elements are batches of up to 256 KiB, so the defaults of Akka.Streams, which are made for small elements, do
/// not fit: 16 buffered elements at each boundary would be 4 MiB outside every account, and a burst of 1,000 elements of AEAD or decompression would
/// keep everything else from the thread.
/// </summary>
public static class GraphSettings
{
    /// <summary>Path of the dispatcher in the actor system's configuration.</summary>
    public const string Dispatcher = "streams.graph-dispatcher";

    /// <summary>Elements that one actor handles before it yields its thread.</summary>
    public const int SyncProcessingLimit = 16;

    private const int InitialBuffer = 1;
    private const int MaxBuffer = 2;

    /// <summary>Threads for graphs: one core stays free for sockets, heartbeats and the queue's client.</summary>
    public static int Threads { get; } = Math.Max(1, Environment.ProcessorCount - 1);

    /// <summary>
    /// Configuration that the composed actor system must contain (give it to <c>ActorSystem.Create</c> or Akka.Hosting's <c>AddHocon</c>): the dispatcher
    /// with threads of its own, and the processing limit, which Akka reads from configuration only.
    /// </summary>
    public static Config Configuration { get; } = ConfigurationFactory.ParseString($$"""
        {{Dispatcher}} {
          type = ForkJoinDispatcher
          throughput = 16
          dedicated-thread-pool {
            thread-count = {{Threads}}
            threadtype = background
          }
        }
        akka.stream.materializer.sync-processing-limit = {{SyncProcessingLimit}}
        """);

    /// <summary>
    /// A materializer for graphs of the data path. No decider but Stop: Resume would drop an element in silence, and the unit that starts again is the whole
    /// graph (<see cref="GraphSupervisor"/>). Dispose it when the graphs have ended; it stops those that have not.
    /// </summary>
    /// <exception cref="ConfigurationException">The system was created without <see cref="Configuration"/>.</exception>
    public static ActorMaterializer CreateMaterializer(ActorSystem system, string name)
    {
        ArgumentNullException.ThrowIfNull(system);
        if (!system.Dispatchers.HasDispatcher(Dispatcher))
        {
            throw new ConfigurationException($"the actor system has no dispatcher '{Dispatcher}': add GraphSettings.Configuration to its configuration");
        }

        var settings = ActorMaterializerSettings.Create(system)
            .WithDispatcher(Dispatcher)
            .WithInputBuffer(InitialBuffer, MaxBuffer)
            .WithSyncProcessingLimit(SyncProcessingLimit)
            .WithSupervisionStrategy(Deciders.StoppingDecider);
        return ActorMaterializer.Create(system, settings, name);
    }
}
