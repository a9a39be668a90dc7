using System.Net;

namespace Streams.Services.Audit;

/// <summary>What an operator did, or was refused.</summary>
/// <param name="Actor">Name of the token.</param>
/// <param name="Role">Its role.</param>
/// <param name="Action">As <c>command.create</c>.</param>
/// <param name="Target">What it was done to.</param>
/// <param name="Outcome">ok, or why not, as one word of a closed list.</param>
/// <param name="Source">Where from.</param>
/// <param name="Detail">One line.</param>
public sealed record AuditEntry(string Actor, string Role, string Action, string Target, string Outcome, IPAddress? Source, string Detail = "");
