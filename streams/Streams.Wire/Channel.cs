namespace Streams.Wire;

/// <summary>A row of the table of channels.</summary>
/// <param name="Number">What message and error frames call it; append only, 0 is none.</param>
/// <param name="Name">Refined by an action where that says more, e.g. <c>agent.control.status</c>.</param>
/// <param name="FromAgent">Types that the agent may send.</param>
/// <param name="FromGateway">Types that the gateway may send.</param>
/// <param name="Module">The agent's module that owns it.</param>
/// <param name="LaneClass">Class of its messages and batches.</param>
/// <param name="EventClasses">Ids of the classes of rows that batches of this channel may have.</param>
/// <param name="Credit">True when its events count against credit: in <c>streams.v1.bin</c> they are batches in data frames and never messages.</param>
/// <param name="Backend">The service behind the gateway.</param>
/// <param name="Frames">What carries it in <c>streams.v1.bin</c>; <see cref="Message"/> are message frames.</param>
public sealed record Channel(
    byte Number, string Name, MessageTypes FromAgent, MessageTypes FromGateway, string Module, LaneClass LaneClass, IReadOnlyList<ushort> EventClasses,
    bool Credit, string Backend, string Frames)
{
    /// <summary>Value of <see cref="Frames"/> for channels whose messages are message frames.</summary>
    public const string Message = "message";

    public ChannelDirection Direction =>
        FromGateway == MessageTypes.None ? ChannelDirection.AgentToGateway
        : FromAgent == MessageTypes.None ? ChannelDirection.GatewayToAgent
        : ChannelDirection.Both;

    /// <summary>Weight of its lane class among those that wait; null: before all that have one.</summary>
    public int? Weight => LaneClass switch
    {
        LaneClass.Control or LaneClass.Response => null,
        LaneClass.Alert => 8,
        LaneClass.Event => 4,
        LaneClass.Metric => 2,
        _ => 1,
    };

    /// <param name="direction">Of the message, not of the channel.</param>
    public MessageTypes TypesOf(ChannelDirection direction) => direction == ChannelDirection.AgentToGateway ? FromAgent : FromGateway;
}
