using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>Needs root and, if asked for, the published agent; without them the test is skipped and the runner says why.</summary>
internal sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute(bool agent = false)
    {
        if (Environment.UserName != "root")
        {
            Skip = "needs root";
        }
        else if (agent && !File.Exists(Path.Combine(Repository.Root, "agent-native/Streams.Agent/bin/publish/streams-agent")))
        {
            Skip = "needs the published agent: ./justw build";
        }
    }
}
