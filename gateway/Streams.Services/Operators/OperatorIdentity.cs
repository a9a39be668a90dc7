using Streams.Control.Operators;

namespace Streams.Services.Operators;

/// <summary>Who holds a valid token.</summary>
public sealed record OperatorIdentity(string TokenId, string Name, OperatorRole Role)
{
    public string RoleName => NameOf(Role);

    public static string NameOf(OperatorRole role) => role.ToString().ToLowerInvariant();
}
