using System.Text.Json.Serialization;

namespace Streams.Control.Commands;

/// <summary>Where a command stands for one agent. Later ones are higher; the last six are ends.</summary>
[JsonConverter(typeof(CommandStateConverter))]
public enum CommandState
{
    [JsonStringEnumMemberName("queued")]
    Queued = 1,

    [JsonStringEnumMemberName("sent")]
    Sent = 2,

    [JsonStringEnumMemberName("received")]
    Received = 3,

    [JsonStringEnumMemberName("started")]
    Started = 4,

    [JsonStringEnumMemberName("finished")]
    Finished = 10,

    [JsonStringEnumMemberName("failed")]
    Failed = 11,

    [JsonStringEnumMemberName("expired")]
    Expired = 12,

    [JsonStringEnumMemberName("refused")]
    Refused = 13,

    /// <summary>The agent ended between start and result: it may have been done or not, and is not done again.</summary>
    [JsonStringEnumMemberName("unknown")]
    Unknown = 14,
}
