namespace Streams.Control.Commands;

/// <summary>
/// The time by which commands expire: the later of the local clock and the latest time that a verified command proved, so that neither a
/// dead battery nor whoever sets the clock back revives an old command. One floor a signer: what the service's key says of the time does
/// not touch an operator's commands, or a stolen one could make them all look late. Not thread-safe.
/// </summary>
/// <param name="badBefore">A clock before this is known to be bad: it shows a time before this program was built.</param>
public sealed class CommandClock(TimeProvider time, DateTimeOffset badBefore)
{
    private ulong _service;
    private ulong _operator;

    /// <summary>µs since 1970, for a command of this signer.</summary>
    public ulong Now(CommandSigner signer) => Math.Max(Microseconds(time.GetUtcNow()), Floor(signer));

    /// <summary>True while neither the local clock nor a command has shown a time that can be.</summary>
    public bool IsBad(CommandSigner signer) => Now(signer) < Microseconds(badBefore);

    /// <summary>The latest proved time.</summary>
    public ulong Floor(CommandSigner signer) => signer == CommandSigner.Operator ? _operator : Math.Max(_operator, _service);

    /// <summary>A verified command of this signer proves that a time has been. True when that is news.</summary>
    public bool Prove(CommandSigner signer, ulong microseconds)
    {
        if (microseconds <= Floor(signer))
        {
            return false;
        }

        if (signer == CommandSigner.Operator)
        {
            _operator = microseconds;
        }
        else
        {
            _service = microseconds;
        }

        return true;
    }

    private static ulong Microseconds(DateTimeOffset at) =>
        (ulong)Math.Max(0, (at - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
}
