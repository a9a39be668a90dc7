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
            : !files.HasOld ? "a key change is under way already; the running agent goes on with it"
            : $"there are three keys already; the next change can begin when {files.Path}.old is gone, which takes sessions with two gateways under a later key "
                + "(a gateway that got a new key is another: `streams keys gateway renew --new-key`)");
        return 0;
    }
}
