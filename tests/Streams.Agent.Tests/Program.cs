using Streams.Agent.Tests.Takeover;

namespace Streams.Agent.Tests;

/// <summary>The test assembly as a program: what tests need to kill is itself under another verb.</summary>
internal static class Program
{
    private static int Main(string[] args) => args is [SensorHost.Verb, .. var rest] ? SensorHost.Run(rest) : 2;
}
