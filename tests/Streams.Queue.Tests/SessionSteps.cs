namespace Streams.Queue.Tests;

/// <summary>The next session of an agent, as a gateway takes it.</summary>
internal static class SessionSteps
{
    /// <summary>Until this one was the quicker.</summary>
    public static async Task<SessionRecord> AdvanceAsync(this SessionStore store, string agentId, SessionRecord record)
    {
        while (true)
        {
            var last = await store.GetAsync(agentId);
            var next = record with { Generation = SessionRecord.NextGeneration(last?.Value, DateTimeOffset.UtcNow) };
            if (await store.TryWriteAsync(agentId, next, last?.Revision ?? 0) is not null)
            {
                return next;
            }
        }
    }
}
