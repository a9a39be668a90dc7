namespace Streams.Control.Commands;

/// <summary>What a command says. Times are µs since 1970.</summary>
public sealed record CommandFields
{
    public required CommandId Id { get; init; }

    /// <summary>A kind of <see cref="CommandTable"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>Who asked for it, as the audit names them.</summary>
    public required string Actor { get; init; }

    /// <summary>Rises with every command of one issuer.</summary>
    public required ulong Counter { get; init; }

    /// <summary>The issuer's clock when it signed: a time that has verifiably been.</summary>
    public required ulong IssuedAt { get; init; }

    public required ulong NotBefore { get; init; }

    public required ulong Deadline { get; init; }

    /// <summary>Whom it is for, each by name, in rising order.</summary>
    public required IReadOnlyList<string> Agents { get; init; }

    /// <summary>In rising order of names.</summary>
    public IReadOnlyList<CommandArgument> Arguments { get; init; } = [];

    /// <summary>Null when a document may say this, otherwise one line that names the field and its bound.</summary>
    public string? Validate()
    {
        if (Id.Value == UInt128.Zero)
        {
            return "id: must not be zero";
        }

        if (Kind.Length is 0 or > CommandLimits.MaxKindBytes || Kind.AsSpan().ContainsAnyExcept("abcdefghijklmnopqrstuvwxyz0123456789.-"))
        {
            return $"kind: 1 to {CommandLimits.MaxKindBytes} characters of [a-z0-9.-]";
        }

        if (!IsText(Actor, CommandLimits.MaxActorBytes) || Actor.Length == 0)
        {
            return $"actor: 1 to {CommandLimits.MaxActorBytes} bytes without control characters";
        }

        if (Deadline <= IssuedAt || Deadline - IssuedAt > (ulong)CommandLimits.MaxLife.TotalMicroseconds)
        {
            return $"deadline: after the issue, by at most {CommandLimits.MaxLife.TotalDays:0} days";
        }

        return NotBefore >= Deadline ? "not_before: must be before the deadline" : ValidateAgents() ?? ValidateArguments();
    }

    private string? ValidateAgents()
    {
        if (Agents.Count is 0 or > CommandLimits.MaxAgents)
        {
            return $"agents: 1 to {CommandLimits.MaxAgents}";
        }

        for (var i = 0; i < Agents.Count; i++)
        {
            if (!Wire.AgentId.IsValid(Agents[i]))
            {
                return "agents: each matches [a-z0-9][a-z0-9-]{0,62}";
            }

            if (i > 0 && string.CompareOrdinal(Agents[i - 1], Agents[i]) >= 0)
            {
                return "agents: in rising order, each once";
            }
        }

        return null;
    }

    private string? ValidateArguments()
    {
        if (Arguments.Count > CommandLimits.MaxArguments)
        {
            return $"arguments: at most {CommandLimits.MaxArguments}";
        }

        for (var i = 0; i < Arguments.Count; i++)
        {
            var (name, value) = Arguments[i];
            if (name.Length is 0 or > CommandLimits.MaxArgumentNameBytes || name.AsSpan().ContainsAnyExcept("abcdefghijklmnopqrstuvwxyz0123456789_"))
            {
                return $"arguments: names have 1 to {CommandLimits.MaxArgumentNameBytes} characters of [a-z0-9_]";
            }

            if (i > 0 && string.CompareOrdinal(Arguments[i - 1].Name, name) >= 0)
            {
                return "arguments: in rising order of names, each once";
            }

            if (!IsText(value, CommandLimits.MaxArgumentValueBytes))
            {
                return $"arguments: values have at most {CommandLimits.MaxArgumentValueBytes} bytes without control characters";
            }
        }

        return null;
    }

    private static bool IsText(string text, int maxBytes)
    {
        Span<byte> utf8 = stackalloc byte[maxBytes];
        return System.Text.Encoding.UTF8.TryGetBytes(text, utf8, out var written) && Wire.Messages.WireText.IsClean(utf8[..written]);
    }
}
