using Streams.Control.Commands;

namespace Streams.Services.Actions;

/// <summary>What an operator asks for.</summary>
/// <param name="Kind">A kind that the service's key may sign.</param>
/// <param name="Agents">Each by name.</param>
/// <param name="Life">From now to the deadline.</param>
/// <param name="Actor">Who asks.</param>
public sealed record CommandOrder(
    string Kind, IReadOnlyList<string> Agents, TimeSpan Life, string Actor, IReadOnlyList<CommandArgument> Arguments);
