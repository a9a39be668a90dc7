namespace Streams.Queue;

/// <summary>Bucket `commands`, key `{command id}.{agent}`: where a command stands for one agent.</summary>
/// <param name="Kind">What is to be done.</param>
/// <param name="Actor">Who gave it.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="Deadline">Until when it may begin, µs since 1970.</param>
/// <param name="Digest">Of the document, base64url.</param>
/// <param name="Sequence">Its place in stream COMMANDS; 0: it did not get there.</param>
/// <param name="State">queued, sent, received, started, finished, failed, expired, refused or unknown.</param>
/// <param name="ChangedAt">When the state was heard of.</param>
/// <param name="Detail">Why.</param>
/// <param name="Result">What a finished one gave, as JSON; empty without.</param>
public sealed record CommandRecord(
    string Kind,
    string Actor,
    DateTimeOffset CreatedAt,
    ulong Deadline,
    string Digest,
    ulong Sequence,
    string State,
    DateTimeOffset ChangedAt,
    string Detail = "",
    string Result = "");
