namespace Streams.Control.Commands;

/// <summary>
/// Who may sign what. Every agent enforces it by itself, so that whoever holds gateway, queue and services can watch, and steer nothing.
/// A kind that is not here is refused whoever signs it; a new kind that changes anything on a host is the operator's.
/// </summary>
public static class CommandTable
{
    private static readonly Dictionary<string, CommandSigner> Signers = new(StringComparer.Ordinal)
    {
        ["status"] = CommandSigner.Service,
        ["report"] = CommandSigner.Service,
        ["collect"] = CommandSigner.Service,
        ["kill"] = CommandSigner.Operator,
        ["isolate"] = CommandSigner.Operator,
        ["module.stop"] = CommandSigner.Operator,
        ["module.start"] = CommandSigner.Operator,
        ["module.configure"] = CommandSigner.Operator,
        ["rotate"] = CommandSigner.Operator,
        ["re-register"] = CommandSigner.Operator,
        ["config"] = CommandSigner.Operator,
    };

    /// <summary>Whatever is done to a policy is the operator's.</summary>
    private const string PolicyPrefix = "policy.";

    /// <summary>The kinds by name, without those of policies.</summary>
    public static IReadOnlyCollection<string> Kinds => Signers.Keys;

    /// <summary>The signer that a kind needs; null for a kind that does not exist.</summary>
    public static CommandSigner? SignerOf(string kind)
    {
        ArgumentNullException.ThrowIfNull(kind);
        return Signers.TryGetValue(kind, out var signer) ? signer
            : kind.StartsWith(PolicyPrefix, StringComparison.Ordinal) ? CommandSigner.Operator
            : null;
    }

    /// <summary>An operator's signature is good for everything, the service's for what only looks.</summary>
    public static bool MaySign(CommandSigner signer, CommandSigner needed) => signer == needed || signer == CommandSigner.Operator;
}
