namespace Streams.Wire;

/// <summary>Which way a channel's messages flow.</summary>
public enum ChannelDirection : byte
{
    AgentToGateway = 1,
    GatewayToAgent = 2,
    Both = 3,
}

/// <summary>One of the specification's nine channels.</summary>
/// <param name="Name">Channel name; <c>{service}.{module}</c>, refined by an action such as <c>agent.telemetry.metrics</c>.</param>
/// <param name="Module">The agent's module that owns it.</param>
/// <param name="Backend">The service behind the gateway.</param>
/// <param name="Credit">True when its frames count against credit.</param>
/// <param name="Available">False for channels that are reserved in this version.</param>
public sealed record Channel(
    string Name, string Module, string Backend, ChannelDirection Direction, LaneClass Priority, bool Credit, bool Available);

/// <summary>The table of channels; PROTOCOL.md prints the same rows and a test compares them.</summary>
public static class Channels
{
    public static IReadOnlyList<Channel> All { get; } =
    [
        new("auth", "comm", "gateway", ChannelDirection.Both, LaneClass.Control, Credit: false, Available: true),
        new("heartbeat", "comm", "gateway", ChannelDirection.Both, LaneClass.Control, Credit: false, Available: true),
        new("agent.registry", "core", "registry", ChannelDirection.Both, LaneClass.Control, Credit: false, Available: false),
        new("agent.control", "core", "actions", ChannelDirection.Both, LaneClass.Response, Credit: false, Available: false),
        new("agent.telemetry", "telemetry", "actions", ChannelDirection.AgentToGateway, LaneClass.Metric, Credit: true, Available: true),
        new("agent.observability", "observability", "actions", ChannelDirection.AgentToGateway, LaneClass.Event, Credit: true, Available: true),
        new("agent.analysis", "analysis", "actions", ChannelDirection.Both, LaneClass.Bulk, Credit: true, Available: false),
        new("agent.threat", "threatintel", "actions", ChannelDirection.AgentToGateway, LaneClass.Alert, Credit: true, Available: false),
        new("agent.policy", "policy", "actions", ChannelDirection.Both, LaneClass.Alert, Credit: true, Available: false),
    ];
}
