using Streams.Wire.Handshake;

namespace Streams.Control.Commands;

/// <summary>
/// The agent's judgement of a command, in an order that tells nothing of the agent to who cannot sign: kind, certificate, signer,
/// signature; then addressee and times. Whether the id was seen is the journal's to say. Not thread-safe.
/// </summary>
/// <param name="roots">Those that are pinned now: a root that was retired signs for nobody any more.</param>
/// <param name="revoked">The newest list of revoked certificates that was believed; null when there was none.</param>
public sealed class CommandVerifier(Func<FleetRoots> roots, Func<RevocationList?> revoked, string agentId, CommandClock clock)
{
    private const ulong MicrosecondsPerSecond = 1_000_000;

    private static readonly ulong Skew = (ulong)CommandLimits.Skew.TotalMicroseconds;

    /// <summary>Whether the one whom the kind needs signed it, in a time that can be; the clock learns the time of its issue.</summary>
    public CommandRefusal CheckSigner(CommandDocument document)
    {
        ArgumentNullException.ThrowIfNull(document);
        if (CommandTable.SignerOf(document.Fields.Kind) is not { } needed)
        {
            return CommandRefusal.UnknownKind;
        }

        var now = clock.Now(document.Signer);
        var reason = roots().Verify(document.Certificate, document.Signer.Use(), (long)(now / MicrosecondsPerSecond));
        // A clock that shows 1970 cannot say that something is not valid yet; the issue, below, must still lie within the dates.
        if (reason != RefusalReason.None && !(reason == RefusalReason.CertificateNotYetValid && clock.IsBad(document.Signer)))
        {
            return Refusal(reason);
        }

        if (revoked()?.Contains(document.Certificate.Serial) is true)
        {
            return CommandRefusal.CertificateRevoked;
        }

        if (!CommandTable.MaySign(document.Signer, needed))
        {
            return CommandRefusal.WrongSigner;
        }

        if (!document.IsSigned)
        {
            return CommandRefusal.BadSignature;
        }

        var issued = document.Fields.IssuedAt;
        if (!IsWithin(document.Certificate, issued))
        {
            return CommandRefusal.CertificateExpired;
        }

        if (issued > now + Skew && !clock.IsBad(document.Signer))
        {
            return CommandRefusal.NotYet;
        }

        clock.Prove(document.Signer, issued);
        return CommandRefusal.None;
    }

    /// <summary>Addressee and times of a command whose signer was checked.</summary>
    public CommandRefusal CheckTerms(CommandDocument document)
    {
        ArgumentNullException.ThrowIfNull(document);
        var fields = document.Fields;
        var now = clock.Now(document.Signer);
        return !fields.Agents.Contains(agentId) ? CommandRefusal.NotForThisAgent
            : now > fields.Deadline ? CommandRefusal.Expired
            : fields.NotBefore > now + Skew ? CommandRefusal.NotYet
            : CommandRefusal.None;
    }

    private static bool IsWithin(FleetCertificate certificate, ulong issued)
    {
        var second = (long)(issued / MicrosecondsPerSecond);
        return second >= certificate.NotBefore && second <= certificate.NotAfter;
    }

    private static CommandRefusal Refusal(RefusalReason reason) => reason switch
    {
        RefusalReason.UnknownRoot => CommandRefusal.UnknownRoot,
        RefusalReason.CertificateExpired => CommandRefusal.CertificateExpired,
        RefusalReason.CertificateNotYetValid => CommandRefusal.CertificateNotYetValid,
        _ => CommandRefusal.BadCertificate,
    };
}
