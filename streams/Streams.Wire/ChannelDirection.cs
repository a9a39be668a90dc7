namespace Streams.Wire;

/// <summary>Which way messages flow.</summary>
public enum ChannelDirection : byte
{
    AgentToGateway = 1,
    GatewayToAgent = 2,
    Both = 3,
}
