using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Streams.Schema;

namespace Streams.Worker;

/// <summary>The batch that could not be stored. Printed as <c>AGENT/EPOCH/LANE/BATCH</c>, the epoch as 32 hex digits.</summary>
public sealed record DeadLetterName(string AgentId, BatchName Batch)
{
    public static bool TryParse(string text, [NotNullWhen(true)] out DeadLetterName? name)
    {
        name = null;
        if (text.Split('/') is not [var agent, var hex, var laneText, var batchText]
            || !Queue.Subjects.IsAgentId(agent)
            || !Epoch.TryParse(hex, out var epoch)
            || !uint.TryParse(laneText, NumberStyles.None, CultureInfo.InvariantCulture, out var lane)
            || !uint.TryParse(batchText, NumberStyles.None, CultureInfo.InvariantCulture, out var batch))
        {
            return false;
        }

        name = new DeadLetterName(agent, new BatchName(epoch, lane, batch));
        return true;
    }

    public override string ToString() => $"{AgentId}/{Batch}";
}
