using System.Runtime.InteropServices;

namespace Streams.Host.Terminal;

/// <summary>
/// The first Ctrl-C or SIGTERM stops in order; a second one ends the process at once, and with it, by their parent-death signal, its
/// children. What was not acknowledged is sent again at the next start.
/// </summary>
internal static class SecondSignal
{
    /// <summary>Exit code of an aborted stop, as a shell has it for SIGINT.</summary>
    private const int Aborted = 130;

    // A registration that is collected no longer listens.
    private static readonly List<PosixSignalRegistration> Registrations = [];

    /// <summary>Waits for the first before it looks out for the second. Dispose when the stop has ended.</summary>
    public static CancellationTokenRegistration Arm(CancellationToken stop) => stop.Register(() =>
    {
        Registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, Abort));
        Registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Abort));
    });

    private static void Abort(PosixSignalContext context)
    {
        context.Cancel = true;
        Console.Error.WriteLine("streams: aborted by a second signal");
        Environment.Exit(Aborted);
    }
}
