using Streams.Agent.Tests.Commands;
using Streams.Agent.Tests.Takeover;

namespace Streams.Agent.Tests;

/// <summary>The test assembly as a program: what tests need to kill is itself under another verb.</summary>
internal static class Program
{
    private static int Main(string[] args) => args switch
    {
        [SensorHost.Verb, .. var rest] => SensorHost.Run(rest),
        [CommandHost.Verb, .. var rest] => CommandHost.Run(rest),
        _ => 2,
    };
}
