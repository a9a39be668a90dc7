using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>Needs root and, if asked for, the published agent; without them the test is skipped and the runner says why.</summary>
internal sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute(bool agent = false, bool tls = false)
    {
        if (Environment.UserName != "root")
        {
            Skip = "needs root";
        }
        else if (agent && !File.Exists(Path.Combine(Repository.Root, "agent-native/Streams.Agent/bin/publish/streams-agent")))
        {
            Skip = "needs the published agent: ./justw build";
        }
        else if (tls && !File.Exists(SecureAgent.Program))
        {
            Skip = "needs the agent that is published with TLS: ./justw build";
        }
    }
}
