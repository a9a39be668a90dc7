using Streams.Gateway.Auth;

namespace Streams.Gateway.Records;

/// <summary>A connection that was refused before it was a session.</summary>
/// <param name="Source">Whose; null when it stands for many.</param>
/// <param name="Agent">The agent that it claimed to be, not proved; empty when it claimed none.</param>
/// <param name="Reason">Stable name, snake_case.</param>
/// <param name="IsAttempt">Somebody was not who an agent must be. What was refused for load alone is no reason for an alert.</param>
internal readonly record struct AuthFailure(SourcePrefix? Source, string Agent, string Reason, bool IsAttempt)
{
    public AuthFailure ByReason() => this with { Source = null, Agent = "" };
}
