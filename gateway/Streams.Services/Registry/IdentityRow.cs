using Streams.Queue;
using Streams.Queue.Producing;
using Streams.Schema;

namespace Streams.Services.Registry;

/// <summary>A change of an identity as a row of <c>agent_identity</c>.</summary>
internal static class IdentityRow
{
    private static readonly EventClass Class = ServerClasses.AgentIdentity;
    private static readonly int Agent = Class.OrdinalOf("agent");
    private static readonly int Action = Class.OrdinalOf("action");
    private static readonly int PublicKey = Class.OrdinalOf("public_key");
    private static readonly int Host = Class.OrdinalOf("agent_host");
    private static readonly int Serial = Class.OrdinalOf("serial");
    private static readonly int TokenId = Class.OrdinalOf("token_id");
    private static readonly int Actor = Class.OrdinalOf("actor");
    private static readonly int Source = Class.OrdinalOf("source");

    /// <summary>False: no room now.</summary>
    public static bool TryTell(this RowProducer producer, string agentId, IdentityRecord identity) => producer.TryAppend(
        Class,
        (agentId, identity),
        static (row, change) =>
        {
            Span<byte> source = stackalloc byte[16];
            SourceNetworks.Write(change.identity.Source, source);
            row.SetText(Agent, change.agentId);
            row.SetText(Action, change.identity.Action);
            row.SetText(PublicKey, change.identity.PublicKey);
            row.SetText(Host, change.identity.Host);
            row.SetUInt64(Serial, change.identity.Serial);
            row.SetText(TokenId, change.identity.TokenId);
            row.SetText(Actor, change.identity.Actor);
            row.SetIPv6(Source, source);
        });
}
