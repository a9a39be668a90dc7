using Streams.Agent.Modules.Core;
using Streams.Agent.Processes;
using Streams.Testing;

namespace Streams.Agent.Tests.Processes;

public sealed class ModuleLoadTests : IDisposable
{
    private readonly TempDirectory _tasks = new("tasks");
    private readonly ManualClock _clock = new();

    [Fact]
    public void A_module_has_the_thousandths_of_a_core_that_its_threads_used_since_the_last_reading()
    {
        var load = new ModuleLoad(new ModuleCosts(new ThreadRegistry(), _tasks.Path), _clock);
        Thread(7, ".NET TP Worker", 500_000_000);
        Thread(8, ".NET Sockets", 1_000_000_000);
        Thread(9, "streams-agent", 10_000_000);
        _clock.Pass(TimeSpan.FromSeconds(1));
        load.Read();
        Assert.Equal((1500u, 10u, 0u), (load.TakePermille(ModuleName.Comm), load.TakePermille(ModuleName.Core), load.TakePermille(ModuleName.Telemetry)));
        Thread(7, ".NET TP Worker", 600_000_000);
        _clock.Pass(TimeSpan.FromSeconds(10));
        load.Read();
        Assert.Equal((10u, 0u), (load.TakePermille(ModuleName.Comm), load.TakePermille(ModuleName.Core)));
    }

    public void Dispose() => _tasks.Dispose();

    private void Thread(int id, string name, ulong nanoseconds)
    {
        var directory = Directory.CreateDirectory(Path.Combine(_tasks.Path, $"{id}")).FullName;
        File.WriteAllText(Path.Combine(directory, "comm"), name + "\n");
        File.WriteAllText(Path.Combine(directory, "schedstat"), $"{nanoseconds} 1 2\n");
    }
}
