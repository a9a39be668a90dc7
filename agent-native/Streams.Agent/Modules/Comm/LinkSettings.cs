using Streams.Agent.Configuration;
using Streams.Agent.Processes;
using Streams.AgentLink;
using Streams.AgentLink.Connect;
using Streams.Wire.Handshake;

namespace Streams.Agent.Modules.Comm;

/// <summary>How the configuration says to reach a gateway; the same for sessions and for enrolment.</summary>
internal static class LinkSettings
{
    public static AgentLinkOptions Of(AgentConfiguration configuration, FleetRoots roots)
    {
        Uri[] gateways = configuration.Gateways.Count == 0 ? [new Uri(configuration.Gateway)] : [.. configuration.Gateways.Select(gateway => new Uri(gateway))];
        return new AgentLinkOptions
        {
            Gateway = gateways[0],
            OtherGateways = gateways[1..],
            Proxy = Proxy(configuration.Proxy),
            Tls = TlsSupport.Create(configuration.TlsAuthorityFile.Length == 0 ? "" : configuration.Resolve(configuration.TlsAuthorityFile)),
            Roots = roots,
            HostName = Environment.MachineName,
            AgentVersion = AgentVersion.Text,
        };
    }

    private static ProxyChoice Proxy(string setting)
    {
        if (setting == "environment")
        {
            return ProxyChoice.FromEnvironment(Environment.GetEnvironmentVariable, out var error) ?? throw new AgentException($"link.proxy: {error}");
        }

        return setting.Length > 0 && ProxyChoice.TryParse(setting, out var choice) ? choice! : ProxyChoice.None;
    }
}
