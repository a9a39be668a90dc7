namespace Streams.Schema;

/// <summary>The name of a batch inside its agent, for ever. The bytes of a named batch never change.</summary>
/// <param name="Epoch">Life of the agent process that made it.</param>
/// <param name="Lane">Spool segment, increasing inside the epoch.</param>
/// <param name="N">0, 1, 2 ... without gaps inside the lane.</param>
public readonly record struct BatchName(Epoch Epoch, uint Lane, uint N)
{
    public override string ToString() => $"{Epoch}/{Lane}/{N}";
}
