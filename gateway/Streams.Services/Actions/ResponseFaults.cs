using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Streams.Services.Actions;

/// <summary>
/// Responses that are not believed. Each is counted; ten a second are logged, because who holds a gateway's seed can make any number of them. Not thread-safe.
/// </summary>
internal sealed class ResponseFaults(ILogger logger, TimeProvider time)
{
    private const int LinesASecond = 10;

    private static readonly Counter<long> Refused = new Meter("Streams.Services").CreateCounter<long>(
        "streams.services.responses.refused", "{response}", "Responses that moved no command, by reason: malformed, unsigned, altered.");

    private long _since = time.GetTimestamp();
    private int _lines;

    /// <summary>Not in the form of a response.</summary>
    public void Malformed(string agentId, int bytes)
    {
        if (Count("malformed"))
        {
            logger.ResponseMalformed(agentId, bytes);
        }
    }

    /// <summary>Not signed with a key that is the agent's now.</summary>
    public void Unsigned(string agentId, string commandId, string state)
    {
        if (Count("unsigned"))
        {
            logger.ResponseUnsigned(agentId, commandId, state);
        }
    }

    /// <summary>The agent got our command with another signature than ours.</summary>
    public void Altered(string agentId, string commandId)
    {
        if (Count("altered"))
        {
            logger.CommandAltered(agentId, commandId);
        }
    }

    /// <summary>True when there is room for a line.</summary>
    private bool Count(string reason)
    {
        Refused.Add(1, new KeyValuePair<string, object?>("reason", reason));
        if (time.GetElapsedTime(_since) >= TimeSpan.FromSeconds(1))
        {
            (_since, _lines) = (time.GetTimestamp(), 0);
        }

        return ++_lines <= LinesASecond;
    }
}
