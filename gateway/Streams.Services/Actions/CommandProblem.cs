namespace Streams.Services.Actions;

/// <summary>Why an order was not taken.</summary>
/// <param name="Code">One of invalid, unknown_agent, revoked, needs_operator, unsupported, too_many_waiting, queue_full.</param>
/// <param name="Field">The field that is to blame.</param>
/// <param name="Message">One line that names the bound.</param>
public sealed record CommandProblem(string Code, string Field, string Message);
