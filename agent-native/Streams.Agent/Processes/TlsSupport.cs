using System.Diagnostics.CodeAnalysis;
using Streams.AgentLink.Connect;
using Streams.AgentLink.Tls;

namespace Streams.Agent.Processes;

/// <summary>
/// Whether this build does TLS. The switch is fixed when the agent is compiled to native code (<c>-p:Tls=true</c>): without it nothing of TLS, and no OpenSSL, is in the file.
/// </summary>
internal static class TlsSupport
{
    /// <summary>The build that has it.</summary>
    public const string Program = "streams-agent-tls";

    [FeatureSwitchDefinition("Streams.Agent.Tls")]
    public static bool IsBuiltIn => AppContext.TryGetSwitch("Streams.Agent.Tls", out var on) && on;

    /// <param name="authorityFile">"" for the system's authorities.</param>
    public static ITlsClient? Create(string authorityFile) => IsBuiltIn ? new TlsClient(authorityFile.Length == 0 ? null : authorityFile) : null;
}
