using System.Text;
using Streams.Agent.Configuration;

namespace Streams.Agent.CommandLine;

internal static class HelpText
{
    public static string Print()
    {
        var text = new StringBuilder("""
            streams-agent: kernel events and host metrics of this machine, sent to a Streams gateway

            usage: streams-agent [run] [--config FILE] [--SETTING VALUE ...]   run until SIGTERM or SIGINT
                   streams-agent enroll --token TOKEN [--config FILE]          get this host an identity
                   streams-agent rotate-key [--config FILE]                    change the agent's key
                   streams-agent doctor [--json] [--config FILE]               what this machine lacks, and the remedy
                   streams-agent status [--json] [--config FILE]               ask the running agent
                   streams-agent spool [--json] [--config FILE]                what waits on the disk, also while the agent runs
                   streams-agent --print-config [--config FILE] [...]          the settings in effect
                   streams-agent --version | --help

            Every setting of the configuration file is an option:

            """);
        foreach (var setting in SettingTable.All)
            text.Append("  ").Append(setting.Option.PadRight(36)).AppendLine(setting.Description);
        return text.ToString();
    }
}
