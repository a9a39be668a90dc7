using System.Globalization;
using NATS.Client.Core;
using Streams.Schema;

namespace Streams.Queue;

/// <summary>
/// The headers of an ingest message: what the gateway knows about the batches inside, so that a worker can order and refuse without
/// opening them.
/// </summary>
public readonly record struct MessageHeaders
{
    /// <summary>A frame of 256 KiB holds at most this many of the smallest batches.</summary>
    public const uint MaxBatches = 4096;

    /// <summary>Longest host name (RFC 1123: 253).</summary>
    public const int MaxHost = 255;

    private const string EncodingBinary = "bin";
    private const string EncodingJson = "json";
    internal const string MessageId = "Nats-Msg-Id";

    private const string EpochName = "Streams-Epoch";
    private const string LaneName = "Streams-Lane";
    private const string FirstName = "Streams-First";
    private const string CountName = "Streams-Count";
    private const string ClassName = "Streams-Class";
    private const string ReceivedAtName = "Streams-Received-At";
    private const string GenerationName = "Streams-Generation";
    private const string EncodingName = "Streams-Encoding";
    private const string CatalogueName = "Streams-Catalogue";
    private const string HostName = "Streams-Host";

    public required Epoch Epoch { get; init; }

    public required uint Lane { get; init; }

    /// <summary>Number of the first batch in the message.</summary>
    public required uint First { get; init; }

    /// <summary>How many batches, at least one; their numbers are consecutive.</summary>
    public required uint Count { get; init; }

    public required PriorityClass Class { get; init; }

    /// <summary>When the gateway received the frame, microseconds since the Unix epoch.</summary>
    public required long ReceivedAt { get; init; }

    /// <summary>Generation of the session that sent it.</summary>
    public required ulong Generation { get; init; }

    /// <summary>The form of the batches inside; a JSON message holds one.</summary>
    public MessageEncoding Encoding { get; init; }

    /// <summary>The agent's catalogue version.</summary>
    public required ushort Catalogue { get; init; }

    /// <summary>Host name of the authenticated session; see <see cref="IsHost"/>.</summary>
    public required string Host { get; init; }

    /// <summary>
    /// Which sending of the lane in this session the message belongs to: above 0 after a rewind. Only part of the message id, so that the
    /// queue's duplicate window does not swallow what must come again; nobody reads it.
    /// </summary>
    public uint Resend { get; init; }

    /// <summary>Number of the last batch in the message.</summary>
    public uint Last => First + Count - 1;

    /// <summary>Printable ASCII without blanks, at most <see cref="MaxHost"/>: a header line must not be broken by a host's claim about
    /// its name.</summary>
    public static bool IsHost(ReadOnlySpan<char> host) => host.Length <= MaxHost && !host.ContainsAnyExceptInRange('!', '~');

    /// <summary>Reads the headers of a message. Everything that is not exactly as <see cref="ToNats"/> writes it is an error, never an
    /// exception.</summary>
    public static MessageHeaderError TryRead(NatsHeaders? headers, out MessageHeaders result)
    {
        result = default;
        if (headers is null)
            return new MessageHeaderError(MessageHeaderFault.Missing, EpochName);
        var reader = new HeaderReader(headers);
        var encoding = reader.Text(EncodingName);
        if (encoding is not (null or EncodingBinary or EncodingJson))
            return new MessageHeaderError(MessageHeaderFault.UnknownEncoding, EncodingName);
        var epochText = reader.Text(EpochName);
        // Capital digits would give one epoch two spellings.
        if (epochText is not null && (!Epoch.TryParse(epochText, out var epoch) || epoch.IsZero || epoch.ToString() != epochText))
            return new MessageHeaderError(MessageHeaderFault.Malformed, EpochName);
        _ = Epoch.TryParse(epochText, out epoch);
        var read = new MessageHeaders
        {
            Epoch = epoch,
            Lane = (uint)reader.Number(LaneName, 0, uint.MaxValue),
            First = (uint)reader.Number(FirstName, 0, uint.MaxValue),
            Count = (uint)reader.Number(CountName, 1, MaxBatches),
            Class = (PriorityClass)reader.Number(ClassName, 0, (ulong)PriorityClass.Bulk),
            ReceivedAt = (long)reader.Number(ReceivedAtName, 0, long.MaxValue),
            Generation = reader.Number(GenerationName, 0, ulong.MaxValue),
            Encoding = encoding == EncodingJson ? MessageEncoding.Json : MessageEncoding.Binary,
            Catalogue = (ushort)reader.Number(CatalogueName, 0, ushort.MaxValue),
            Host = reader.Text(HostName) ?? "",
        };
        if (reader.Error.Fault != MessageHeaderFault.None)
            return reader.Error;
        if (!IsHost(read.Host))
            return new MessageHeaderError(MessageHeaderFault.Malformed, HostName);
        if (uint.MaxValue - read.First < read.Count - 1)
            return new MessageHeaderError(MessageHeaderFault.OutOfRange, CountName);
        result = read;
        return default;
    }

    /// <summary>
    /// The headers as the client wants them, with the id for the queue's duplicate window. Generation and <see cref="Resend"/> are part of
    /// the id because a message re-sent after its first copy was dropped as out of order must not be swallowed by that window; the worker
    /// drops real duplicates. The id is for the queue alone: a reader takes nothing from it.
    /// </summary>
    public NatsHeaders ToNats(string agentId)
    {
        if (!IsHost(Host))
            throw new ArgumentException("The host is not printable ASCII, or too long.");
        var invariant = CultureInfo.InvariantCulture;
        var epoch = Epoch.ToString();
        return new NatsHeaders(11)
        {
            [MessageId] = Resend == 0
                ? string.Create(invariant, $"{agentId}/{epoch}/{Lane}/{First}-{Last}/{Generation}")
                : string.Create(invariant, $"{agentId}/{epoch}/{Lane}/{First}-{Last}/{Generation}/{Resend}"),
            [EpochName] = epoch,
            [LaneName] = Lane.ToString(invariant),
            [FirstName] = First.ToString(invariant),
            [CountName] = Count.ToString(invariant),
            [ClassName] = ((byte)Class).ToString(invariant),
            [ReceivedAtName] = ReceivedAt.ToString(invariant),
            [GenerationName] = Generation.ToString(invariant),
            [EncodingName] = Encoding == MessageEncoding.Json ? EncodingJson : EncodingBinary,
            [CatalogueName] = Catalogue.ToString(invariant),
            [HostName] = Host,
        };
    }
}
