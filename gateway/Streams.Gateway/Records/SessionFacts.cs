namespace Streams.Gateway.Records;

/// <summary>What a row says of a session besides its route.</summary>
/// <param name="Remote">Address of the peer.</param>
/// <param name="Encoding"><c>bin</c> or <c>json</c>.</param>
/// <param name="AgentVersion">As the agent says.</param>
/// <param name="ConnectCounter">As the agent says.</param>
/// <param name="CloneSign">Sign of a copy, empty without one.</param>
internal sealed record SessionFacts(string Remote, string Encoding, string AgentVersion, ulong ConnectCounter, string CloneSign);
