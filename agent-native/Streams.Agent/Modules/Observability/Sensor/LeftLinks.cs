using LibbpfSharp;
using LibbpfSharp.Handles;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>Programs of a dead agent that its pinned links keep attached.</summary>
internal static class LeftLinks
{
    // The kernel ends links in a worker, after a grace period.
    private static readonly TimeSpan DetachLimit = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Adds what the programs of a generation missed by recursion. Without CAP_SYS_ADMIN the kernel does not say: nothing.
    /// </summary>
    public static void AddMissed(
        PinDirectory pins, uint generation, ReadOnlySpan<(string Program, ushort Class)> emitters, ref PerClass missed)
    {
        foreach (var (program, classId) in emitters)
        {
            var path = pins.LinkFile(generation, program);
            if (File.Exists(path))
            {
                missed[classId] += MissedBy(path);
            }
        }
    }

    /// <summary>Removes all links and waits until their programs are gone: after that nothing stamps.</summary>
    public static void Detach(PinDirectory pins)
    {
        var programs = new List<uint>();
        foreach (var (_, path) in pins.Links())
        {
            try
            {
                using var link = BpfLink.OpenPinned(path);
                programs.Add(link.ReadInfo().ProgramId);
            }
            catch (BpfException)
            {
                // No link of ours by that name.
            }
            File.Delete(path);
        }
        var until = Environment.TickCount64 + (long)DetachLimit.TotalMilliseconds;
        while (programs.Exists(IsLoaded) && Environment.TickCount64 < until)
        {
            Thread.Sleep(1);
        }
    }

    private static ulong MissedBy(string path)
    {
        try
        {
            using var link = BpfLink.OpenPinned(path);
            return ProgramInfo.TryReadById(link.ReadInfo().ProgramId)?.RecursionMisses ?? 0;
        }
        catch (BpfException)
        {
            return 0;
        }
    }

    private static bool IsLoaded(uint program)
    {
        try
        {
            return ProgramInfo.TryReadById(program) is not null;
        }
        catch (BpfException)
        {
            return true;
        }
    }
}
