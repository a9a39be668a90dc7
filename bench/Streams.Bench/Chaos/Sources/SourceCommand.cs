using System.Buffers.Text;
using System.CommandLine;
using Streams.AgentLink;
using Streams.AgentLink.Connect;
using Streams.Bench.Running;
using Streams.Checker.Journals;
using Streams.Schema;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Bench.Chaos.Sources;

/// <summary>
/// `source`: a synthetic agent, or many, in a process of their own, so that a kill -9 of it is real. It speaks the real link, keeps its batches in
/// the real spool and
/// writes every number down before it emits it. SIGTERM ends the emission; it then stays until everything is committed.
/// </summary>
internal static class SourceCommand
{
    private const int NotDrained = 3;
    // A batch each; a status file every third. Hundreds of agents at the short one would spend both cores on files of their own.
    private static readonly TimeSpan BeatOfOne = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BeatOfMany = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan DrainDeadline = TimeSpan.FromMinutes(5);

    public static Command Create()
    {
        var id = new Option<string>("--id") { Required = true };
        var directory = new Option<string>("--directory") { Required = true };
        var gateway = new Option<string>("--gateway") { Required = true };
        var root = new Option<string>("--root") { Required = true };
        var rate = new Option<int>("--rate") { Required = true, Description = "Events a second, 10 to 100000." };
        var poison = new Option<int?>("--poison-batch") { Description = "Which batch of its first agent cannot be decoded." };
        var agents = new Option<int>("--agents") { Description = "How many agents the process plays.", DefaultValueFactory = _ => 1 };
        var command = new Command("source", "Synthetic agents of the chaos harness.") { id, directory, gateway, root, rate, poison, agents };
        command.Hidden = true;
        command.SetAction(async (parse, stop) =>
        {
            var played = SourceAgent.Of(parse.GetValue(id)!, new SourceFiles(parse.GetValue(directory)!), parse.GetValue(agents));
            var ends = await Task.WhenAll(played.Select((agent, index) => Task.Run(() => RunAsync(
                agent.Id, agent.Files, new Uri(parse.GetValue(gateway)!), Base64Url.DecodeFromChars(parse.GetValue(root)!),
                parse.GetValue(rate) / played.Count, played.Count == 1 ? BeatOfOne : BeatOfMany, index == 0 ? parse.GetValue(poison) : null, stop))));
            return ends.Max();
        });
        return command;
    }

    private static async Task<int> RunAsync(string id, SourceFiles files, Uri gateway, byte[] root, int rate, TimeSpan beat, int? poison,
        CancellationToken stop)
    {
        if (!KeyFileReader.TryRead(files.Key, KeyFileKind.Agent, out var key, out var error))
        {
            throw new BenchFailure(error!);
        }

        Directory.CreateDirectory(files.Directory);
        using var identity = new AgentIdentity(id, key!);
        var clock = new ShiftedClock(files.Clock);
        clock.Refresh();
        var counter = new ConnectCounterFile(files.Connects);
        using var link = new AgentLink.AgentLink(
            new AgentLinkOptions
            {
                Gateway = gateway,
                Roots = new FleetRoots(root),
                HostName = id,
                AgentVersion = "chaos",
                SpoolDirectory = files.Spool,
                // Quick to come back: what is measured is the system's recovery, not the patience of a fleet. Many on this one machine, though,
                // would leave a starting gateway no core to start on.
                BackoffBase = beat,
                BackoffMax = 20 * beat,
            },
            identity,
            new AgentLinkHooks
            {
                NextConnectCounter = counter.Next,
                OnEvent = e => Console.WriteLine($"{DateTime.UtcNow:O} {e.Kind} {e.Detail}"),
            },
            clock);
        using var end = new CancellationTokenSource();
        var run = link.RunAsync(end.Token).AsTask();
        await EmitAsync(id, files, link, clock, rate, beat, poison, stop);
        var drained = await link.FlushAsync(DrainDeadline, CancellationToken.None);
        Console.WriteLine($"{DateTime.UtcNow:O} {(drained ? "drained" : "NOT drained")} {link.Status}");
        await end.CancelAsync();
        await run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return drained ? 0 : NotDrained;
    }

    private static async Task EmitAsync(
        string id, SourceFiles files, AgentLink.AgentLink link, ShiftedClock clock, int rate, TimeSpan beat, int? poison,
        CancellationToken stop)
    {
        var rows = Math.Max(1, (int)(rate * beat.TotalSeconds));
        using var events = new NumberedEvents(id, rows);
        using var journal = new JournalWriter(files.Journal, events.SensorEpoch.Prefix);
        using var timer = new PeriodicTimer(beat);
        ulong kept = 0;
        for (var batches = 0; !stop.IsCancellationRequested; batches++)
        {
            var last = kept + (ulong)rows;
            var batch = events.Build(kept + 1, last, clock.GetUtcNow());
            journal.Intend(last);
            AppendResult result;
            while ((result = Append(link, batch, batches == poison)) == AppendResult.Full && !stop.IsCancellationRequested)
            {
                link.WaitForSpace(beat);
            }

            if (result == AppendResult.Appended)
            {
                journal.Keep(kept = last);
            }
            else if (result == AppendResult.TooLarge)
            {
                throw new BenchFailure($"--rate {rate}: the rows of {beat.TotalMilliseconds:0} ms are more than a batch may hold");
            }

            if (batches % 3 == 0)
            {
                clock.Refresh();
                var status = link.Status;
                new SourceStatus(events.SensorEpoch.Prefix, kept, status.RetainedBytes, status.Connected).Write(files.Status);
            }

            try
            {
                await timer.WaitForNextTickAsync(stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private static AppendResult Append(AgentLink.AgentLink link, BuilderSealer batch, bool poison) =>
        poison ? link.TryAppend(PriorityClass.Event, new PoisonSealer(batch)) : link.TryAppend(PriorityClass.Event, batch);
}
