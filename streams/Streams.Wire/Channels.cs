namespace Streams.Wire;

/// <summary>
/// The table of channels, the only one: gateway, agent and services ask here, PROTOCOL.md prints the same rows and a test compares them.
/// Numbers are append only; 1-15 are the specification's channels, 16-31 those of the flow.
/// </summary>
public static class Channels
{
    public const byte Auth = 1;
    public const byte Heartbeat = 2;
    public const byte Registry = 3;
    public const byte Control = 4;
    public const byte Telemetry = 5;
    public const byte Observability = 6;
    public const byte Analysis = 7;
    public const byte Threat = 8;
    public const byte Policy = 9;
    public const byte FlowCredit = 16;
    public const byte FlowWatermark = 17;
    public const byte FlowRewind = 18;
    public const byte FlowHold = 19;
    public const byte FlowRekey = 20;
    public const byte FlowToken = 21;
    public const byte FlowError = 22;

    private const MessageTypes None = MessageTypes.None;
    private const MessageTypes Request = MessageTypes.Request;
    private const MessageTypes Response = MessageTypes.Response;
    private const MessageTypes Event = MessageTypes.Event;

    private static readonly Channel?[] ByNumber = new Channel?[byte.MaxValue + 1];

    static Channels()
    {
        foreach (var channel in All)
        {
            ByNumber[channel.Number] = channel;
        }
    }

    public static IReadOnlyList<Channel> All { get; } =
    [
        new(Auth, "auth", Response, Request | Event, "comm", LaneClass.Control, [], Credit: false, "gateway", "M1-M3, 1, 64"),
        new(Heartbeat, "heartbeat", Event, Event, "comm", LaneClass.Control, [], Credit: false, "gateway", "4, 67"),
        new(Registry, "agent.registry", Request, Response | Event, "core", LaneClass.Control, [], Credit: false, "registry", Channel.Message),
        new(Control, "agent.control", Response | Event, Request, "core", LaneClass.Response, [], Credit: false, "actions", Channel.Message),
        new(Telemetry, "agent.telemetry", Event, None, "telemetry", LaneClass.Metric, [16, 17, 32, 33], Credit: true, "actions", "2"),
        new(Observability, "agent.observability", Event, None, "observability", LaneClass.Event, [1, 2, 3, 4, 5], Credit: true, "actions", "2"),
        new(Analysis, "agent.analysis", Response | Event, Request, "analysis", LaneClass.Bulk, [], Credit: true, "actions", Channel.Message),
        new(Threat, "agent.threat", Event, None, "threatintel", LaneClass.Alert, [], Credit: true, "actions", "2"),
        new(Policy, "agent.policy", Response | Event, Request, "policy", LaneClass.Alert, [], Credit: true, "actions", Channel.Message),
        new(FlowCredit, "session.flow.credit", Request, Event, "comm", LaneClass.Control, [], Credit: false, "gateway", "3, 65"),
        new(FlowWatermark, "session.flow.watermark", None, Event, "comm", LaneClass.Control, [], Credit: false, "gateway", "66"),
        new(FlowRewind, "session.flow.rewind", None, Event, "comm", LaneClass.Control, [], Credit: false, "gateway", "69"),
        new(FlowHold, "session.flow.hold", None, Event, "comm", LaneClass.Control, [], Credit: false, "gateway", "70"),
        new(FlowRekey, "session.flow.rekey", Event, Event, "comm", LaneClass.Control, [], Credit: false, "gateway", "key_epoch"),
        new(FlowToken, "session.flow.token", None, Event, "comm", LaneClass.Control, [], Credit: false, "gateway", "72"),
        new(FlowError, "session.flow.error", Event, Event, "comm", LaneClass.Control, [], Credit: false, "gateway", "6, 68, 73"),
    ];

    public static Channel? Find(byte number) => ByNumber[number];

    /// <summary>
    /// The channel of a name: the registered one that equals it, or the longest whose name and a dot it begins with, the rest being an action.
    /// </summary>
    public static Channel? Find(ReadOnlySpan<char> name)
    {
        if (!IsName(name))
        {
            return null;
        }

        for (var prefix = name; ;)
        {
            foreach (var channel in All)
            {
                if (prefix.SequenceEqual(channel.Name))
                {
                    return channel;
                }
            }

            var dot = prefix.LastIndexOf('.');
            if (dot < 0)
            {
                return null;
            }

            prefix = prefix[..dot];
        }
    }

    /// <summary>Whether a message may be sent like that; the reason by name if not. For both encodings.</summary>
    /// <param name="channel">What Find gave.</param>
    /// <param name="direction">Of the message.</param>
    public static WireError Check(Channel? channel, ChannelDirection direction, ReadOnlySpan<char> module, MessageType type) =>
        channel is null ? WireError.UnknownChannel
        : channel.TypesOf(direction) == None ? WireError.WrongDirection
        : !module.SequenceEqual(channel.Module) ? WireError.WrongModule
        : (channel.TypesOf(direction) & Bit(type)) == None ? WireError.WrongType
        : WireError.None;

    /// <summary>
    /// As <see cref="Check"/>, for message frames: channels with frames of their own, and events that are batches, have no messages.
    /// </summary>
    public static WireError CheckMessage(Channel? channel, ChannelDirection direction, ReadOnlySpan<char> module, MessageType type)
    {
        var error = Check(channel, direction, module, type);
        return error != WireError.None ? error
            : channel!.Frames != Channel.Message || (channel.Credit && type == MessageType.Event) ? WireError.WrongType
            : WireError.None;
    }

    private static MessageTypes Bit(MessageType type) => type switch
    {
        MessageType.Request => Request,
        MessageType.Response => Response,
        MessageType.Event => Event,
        _ => None,
    };

    /// <summary>Lower-case words with single dots between them: no empty action, nothing that a subject or a log would read as its own.</summary>
    private static bool IsName(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty || name.Length > Limits.MaxChannelNameBytes || name[^1] == '.')
        {
            return false;
        }

        var last = '.';
        foreach (var c in name)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '_' or '.') || (c == '.' && last == '.'))
            {
                return false;
            }

            last = c;
        }

        return true;
    }
}
