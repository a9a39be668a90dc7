using Streams.Agent.Modules.Core;

namespace Streams.Agent.Tests.Modules;

internal sealed class FakeModule(string name, List<string> journal) : IAgentModule
{
    public Action<string>? Failed { get; private set; }

    /// <summary>Starts that throw before one works.</summary>
    public int FailingStarts { get; set; }

    public bool FailsToStop { get; set; }

    public string Name { get; } = name;

    public void Start(Action<string> failed)
    {
        if (FailingStarts > 0)
        {
            FailingStarts--;
            journal.Add("refuse " + Name);
            throw new AgentException($"{Name} cannot start; mend it");
        }

        journal.Add("start " + Name);
        Failed = failed;
    }

    public void Stop(TimeSpan deadline)
    {
        journal.Add("stop " + Name);
        if (FailsToStop)
            throw new InvalidOperationException("stuck");
    }
}
