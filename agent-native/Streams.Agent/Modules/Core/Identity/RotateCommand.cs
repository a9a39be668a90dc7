using Streams.Agent.Configuration;

namespace Streams.Agent.Modules.Core.Identity;

/// <summary>`streams-agent rotate-key`: makes the agent's next key, which the running agent offers to the server with its next heartbeat.</summary>
internal static class RotateCommand
{
    public static int Run(AgentConfiguration configuration, TextWriter output)
    {
        var files = new AgentKeyFiles(configuration.Resolve(configuration.KeyFile));
        using (files.Read())
        {
            // There is a key to change.
        }

        output.WriteLine(files.MakeNext()
            ? $"{files.Path}.next is made; the running agent changes to it within a heartbeat (30 s), and says so in its log"
            : "a key change is under way already; the running agent goes on with it");
        return 0;
    }
}
