using System.Buffers.Text;
using Streams.Queue;
using Streams.Queue.Producing;
using Streams.Schema;

namespace Streams.Services.Actions;

/// <summary>A change of a command's state as a row of <c>command</c>.</summary>
internal static class CommandRow
{
    private static readonly EventClass Class = ServerClasses.Command;
    private static readonly int CommandId = Class.OrdinalOf("command_id");
    private static readonly int Agent = Class.OrdinalOf("agent");
    private static readonly int Kind = Class.OrdinalOf("kind");
    private static readonly int State = Class.OrdinalOf("state");
    private static readonly int Actor = Class.OrdinalOf("actor");
    private static readonly int Deadline = Class.OrdinalOf("deadline");
    private static readonly int Digest = Class.OrdinalOf("digest");
    private static readonly int Detail = Class.OrdinalOf("detail");

    /// <summary>False: no room now; the state is in the bucket all the same.</summary>
    public static bool TryTell(this RowProducer producer, string commandId, string agentId, CommandRecord record) => producer.TryAppend(
        Class,
        (commandId, agentId, record),
        static (row, change) =>
        {
            row.SetText(CommandId, change.commandId);
            row.SetText(Agent, change.agentId);
            row.SetText(Kind, change.record.Kind);
            row.SetText(State, change.record.State);
            row.SetText(Actor, change.record.Actor);
            row.SetUInt64(Deadline, change.record.Deadline);
            row.SetText(Digest, Convert.ToHexStringLower(Base64Url.DecodeFromChars(change.record.Digest)));
            row.SetText(Detail, change.record.Detail);
        });
}
