using System.Net;
using Streams.Gateway.Routing;
using Streams.Queue.Producing;
using Streams.Schema;

namespace Streams.Gateway.Records;

/// <summary>The gateway's rows, column by column.</summary>
internal static class RecordRows
{
    private static readonly EventClass Failure = ServerClasses.AuthFailure;
    private static readonly int FailureSource = Failure.OrdinalOf("source");
    private static readonly int FailureAgent = Failure.OrdinalOf("claimed_agent");
    private static readonly int FailureReason = Failure.OrdinalOf("reason");
    private static readonly int FailureCount = Failure.OrdinalOf("count");
    private static readonly int FailureGateway = Failure.OrdinalOf("gateway");

    private static readonly EventClass Session = ServerClasses.AgentSession;
    private static readonly int SessionAgent = Session.OrdinalOf("agent");
    private static readonly int SessionGateway = Session.OrdinalOf("gateway");
    private static readonly int SessionEvent = Session.OrdinalOf("event");
    private static readonly int SessionReason = Session.OrdinalOf("reason");
    private static readonly int SessionGeneration = Session.OrdinalOf("generation");
    private static readonly int SessionSource = Session.OrdinalOf("source");
    private static readonly int SessionEncoding = Session.OrdinalOf("encoding");
    private static readonly int SessionTls = Session.OrdinalOf("tls");
    private static readonly int SessionVersion = Session.OrdinalOf("agent_version");
    private static readonly int SessionCounter = Session.OrdinalOf("connect_counter");
    private static readonly int SessionClone = Session.OrdinalOf("clone");

    public static void Failed(RowProducer producer, string gateway, in AuthFailure failure, uint count) => producer.TryAppend(
        Failure,
        (gateway, failure, count),
        static (row, it) =>
        {
            Span<byte> source = stackalloc byte[16];
            source.Clear();
            it.failure.Source?.Write(source);
            row.SetIPv6(FailureSource, source);
            row.SetText(FailureAgent, it.failure.Agent);
            row.SetText(FailureReason, it.failure.Reason);
            row.SetUInt32(FailureCount, it.count);
            row.SetText(FailureGateway, it.gateway);
        });

    /// <param name="end">Why it ended; null when it begins.</param>
    public static void Changed(RowProducer producer, string gateway, bool tls, AgentRoute route, SessionFacts facts, string? end) => producer.TryAppend(
        Session,
        (gateway, tls, route, facts, end),
        static (row, it) =>
        {
            Span<byte> source = stackalloc byte[16];
            source.Clear();
            if (IPAddress.TryParse(it.facts.Remote, out var address))
            {
                address.MapToIPv6().TryWriteBytes(source, out _);
            }

            row.SetText(SessionAgent, it.route.AgentId);
            row.SetText(SessionGateway, it.gateway);
            row.SetText(SessionEvent, it.end is null ? "begin" : "end");
            row.SetText(SessionReason, it.end ?? "");
            row.SetUInt64(SessionGeneration, it.route.Generation);
            row.SetIPv6(SessionSource, source);
            row.SetText(SessionEncoding, it.facts.Encoding);
            row.SetBool(SessionTls, it.tls);
            row.SetText(SessionVersion, it.facts.AgentVersion);
            row.SetUInt64(SessionCounter, it.facts.ConnectCounter);
            row.SetText(SessionClone, it.facts.CloneSign);
        });
}
