using System.Globalization;

namespace Streams.Local.Servers;

/// <summary>What one role may publish and subscribe to. Everything else is refused by the server.</summary>
internal sealed record NatsPermissions(IReadOnlyList<string> Publish, IReadOnlyList<string> Subscribe)
{
    private static readonly string[] Buckets =
        ["sessions", "identities", "leases", "offsets", "enrolment", "operators", "revocations", "commands"];

    /// <summary>
    /// The permissions of a role for P ingest partitions. A NATS wildcard stands for a whole token only, so the streams INGEST_0 ... are
    /// named one by one: this is why the
    /// server must know P.
    /// </summary>
    public static NatsPermissions For(NatsRole role, int partitions)
    {
        var publish = new List<string> { "$JS.API.INFO" };
        // Every role has an inbox of its own: with the common "_INBOX.>" each could read the others' replies.
        var name = role.ToString().ToLowerInvariant();
        var subscribe = new List<string> { $"_INBOX.{name}.>", $"_REPLY.{name}.>" };
        if (role != NatsRole.Operator)
            subscribe.Add($"_ANSWER.{name}.>");
        switch (role)
        {
            case NatsRole.Gateway:
                publish.AddRange(["ingest.*.*", "server.gateway.*.*", "watermarks.*", "$KV.sessions.>", "response.*", "service.registry.*"]);
                publish.AddRange(IngestStreams(partitions).SelectMany(LookAt));
                // By sequence and subject: no consumer an agent.
                publish.AddRange(LookAt("COMMANDS"));
                publish.AddRange(ReadBucket("sessions"));
                publish.AddRange(ReadBucket("identities"));
                publish.AddRange(ReadBucket("revocations"));
                subscribe.AddRange(["flow.*", "nudge.*"]);
                break;
            case NatsRole.Worker:
                // _ANSWER is where the others want the replies to watermarks.*. Not by allow_responses: for a user who has it the server
                // notes every delivered message
                // that has a reply subject, as each of a consumer's has, and searches the notes (2.9.10: 220 µs of server CPU a message,
                // 10 without).
                // server.worker, and the question for its watermark: its own alerts are rows like everybody's.
                publish.AddRange(["flow.*", "_ANSWER.>", "server.worker.*.*", "watermarks.*", "$KV.leases.>", "$KV.offsets.>"]);
                publish.AddRange(IngestStreams(partitions).SelectMany(Consume));
                publish.AddRange(IngestStreams(partitions).Select(stream => $"$JS.API.STREAM.PURGE.{stream}"));
                publish.AddRange(ReadBucket("leases"));
                publish.AddRange(ReadBucket("offsets"));
                // The worker makes the topology: it may create and look at, but neither change nor delete.
                publish.AddRange(IngestStreams(partitions).Concat(Buckets.Select(bucket => "KV_" + bucket)).Concat(["COMMANDS", "RESPONSES"])
                    .SelectMany(stream => new[] { $"$JS.API.STREAM.CREATE.{stream}", $"$JS.API.STREAM.INFO.{stream}" }));
                subscribe.AddRange(["watermarks.*", "flow.*"]);
                break;
            case NatsRole.Services:
                publish.AddRange(["server.services.*.*", "watermarks.*", "command.*", "nudge.*", "_ANSWER.gateway.>"]);
                publish.AddRange(IngestStreams(partitions).Select(stream => $"$JS.API.STREAM.INFO.{stream}"));
                foreach (var bucket in new[] { "identities", "enrolment", "operators", "revocations", "commands" })
                {
                    publish.Add($"$KV.{bucket}.>");
                    publish.AddRange(ReadBucket(bucket));
                }

                publish.AddRange(ReadBucket("sessions"));
                publish.AddRange(LookAt("COMMANDS"));
                publish.AddRange(Consume("RESPONSES"));
                publish.AddRange(["$JS.API.CONSUMER.DURABLE.CREATE.RESPONSES.>", "$JS.ACK.RESPONSES.>"]);
                // What was carried out, or has been read, makes room.
                publish.AddRange(["$JS.API.STREAM.PURGE.COMMANDS", "$JS.API.STREAM.PURGE.RESPONSES"]);
                subscribe.AddRange(["flow.*", "service.registry.*"]);
                break;
            case NatsRole.Operator:
                // By hand: who is let in, by which tokens, and what the fleet's roots say.
                foreach (var bucket in new[] { "identities", "enrolment", "revocations" })
                {
                    publish.Add($"$KV.{bucket}.>");
                    publish.AddRange(ReadBucket(bucket));
                }

                publish.Add("$JS.API.STREAM.LIST");
                publish.AddRange(ReadBucket("sessions"));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(role));
        }

        return new NatsPermissions([.. publish.Distinct()], subscribe);
    }

    private static IEnumerable<string> IngestStreams(int partitions) =>
        Enumerable.Range(0, partitions).Select(partition => string.Create(CultureInfo.InvariantCulture, $"INGEST_{partition}"));

    // Direct get has two forms: by sequence in the body, and by subject in the subject.
    private static IEnumerable<string> LookAt(string stream) =>
    [
        $"$JS.API.STREAM.INFO.{stream}", $"$JS.API.STREAM.MSG.GET.{stream}", $"$JS.API.DIRECT.GET.{stream}",
            $"$JS.API.DIRECT.GET.{stream}.>",
    ];

    // $JS.FC is where a push consumer (a watch is one) acknowledges flow control; CONSUMER.CREATE has a short and, since 2.9, a long form.
    private static IEnumerable<string> Consume(string stream) => LookAt(stream).Concat(
    [
        $"$JS.API.CONSUMER.CREATE.{stream}", $"$JS.API.CONSUMER.CREATE.{stream}.>", $"$JS.API.CONSUMER.INFO.{stream}.>",
        $"$JS.API.CONSUMER.DELETE.{stream}.>", $"$JS.API.CONSUMER.MSG.NEXT.{stream}.>", $"$JS.FC.{stream}.>",
    ]);

    private static IEnumerable<string> ReadBucket(string bucket) => Consume("KV_" + bucket);
}
