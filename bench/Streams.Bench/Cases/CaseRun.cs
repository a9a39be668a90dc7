using Streams.Bench.Load;
using Streams.Bench.Reports;
using Streams.Bench.Running;
using Streams.Bench.Smoke;
using Streams.Bench.Watching;
using Streams.Bench.Wire;

namespace Streams.Bench.Cases;

/// <summary>One run of a case, from starting the system to its report.</summary>
internal sealed class CaseRun
{
    private const string Prefix = "bench";

    /// <summary>Raw Native inserts: at least as many rows as the load had, at most this many, which is a dozen large parts.</summary>
    private const long MostRawRows = 20_000_000;

    private static readonly TimeSpan StartDelay = TimeSpan.FromMilliseconds(500);

    private readonly CaseDefinition _case;
    private readonly Dictionary<string, double> _values = [];
    private readonly Noise _before = Noise.Measure();
    private readonly DateTimeOffset _at = DateTimeOffset.UtcNow;
    private IReadOnlyList<Sample> _samples = [];
    private IReadOnlyList<(string Name, double P95, long Count)> _queries = [];
    private DateTime _start;

    private CaseRun(CaseDefinition definition) => _case = definition;

    /// <summary>Runs it. A run that breaks off gives a partial report, never an exception of the run's own.</summary>
    public static async Task<CaseReport> RunAsync(CaseDefinition definition, string directory, CancellationToken stop)
    {
        var run = new CaseRun(definition);
        string? partial = null;
        try
        {
            await run.RunAsync(directory, stop);
        }
        catch (Exception failure) when (failure is BenchFailure or Local.LocalException or HttpRequestException or IOException)
        {
            ProgressLine.End();
            partial = failure.Message.ReplaceLineEndings(" ");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            ProgressLine.End();
            partial = "interrupted";
        }

        return new CaseReport
        {
            Case = definition,
            At = run._at,
            Partial = partial,
            Values = run._values,
            Queries = run._queries,
            Machine = Machine.Read(),
            Before = run._before,
            After = partial is null ? Noise.Measure() : null,
            Samples = run._samples,
        };
    }

    private async Task RunAsync(string directory, CancellationToken stop)
    {
        Console.WriteLine("starting NATS, ClickHouse, gateway and worker");
        await using var stack = await CaseStack.StartAsync(directory, _case.Partitions, _case.Quiet, stop);
        if (_case.BeforeRows > 0)
        {
            await Prelude.FillAsync(stack, _case, stop);
        }

        var capacity = _case.CapacitySeconds > 0 ? await Prelude.CapacityAsync(stack, _case, stop) : 0;
        if (capacity > 0)
        {
            _values[ReportKeys.Capacity] = Math.Round(capacity);
        }

        await stack.LetInAsync(Prefix, _case.Agents, stop);
        using var swarm = _case.Latency ? await stack.SwarmAsync(AlertProbe.Agents, stop) : null;
        await LoadAsync(stack, swarm, capacity, stop);
        if (_case.RawNative)
        {
            await RawAsync(stack, stop);
        }

        await stack.StopAsync();
    }

    private async Task LoadAsync(CaseStack stack, Swarm? swarm, double capacity, CancellationToken stop)
    {
        var loads = new List<LoadProcess>();
        try
        {
            for (var i = 0; i < _case.Processes; i++)
            {
                var spec = stack.SpecOf(_case, Prefix, i, _case.Processes);
                loads.Add(LoadProcess.Start(spec with { Segments = _case.Segments(capacity), MaxSeconds = _case.Max ? _case.Seconds : 0 }));
            }

            Console.WriteLine($"{_case.Agents:N0} agents make their batches ready and connect");
            var ready = await Task.WhenAll(loads.Select(load => load.ReadyAsync(stop)));
            await MeasureAsync(stack, swarm, loads, ready, stop);
        }
        finally
        {
            await Task.WhenAll(loads.Select(load => load.DisposeAsync().AsTask()));
        }
    }

    private async Task MeasureAsync(CaseStack stack, Swarm? swarm, List<LoadProcess> loads, LoadStatus[] ready, CancellationToken stop)
    {
        var rowsBefore = await EventTables.RowsAsync(stack.Engine, stop);
        var cpuBefore = ProcessCpu.Read(stack.Endpoints.Children);
        var rowClock = DateTime.UnixEpoch.AddTicks(ready[0].RowClock * TimeSpan.TicksPerMicrosecond);
        var soon = DateTime.UtcNow + StartDelay;
        _start = rowClock > soon ? rowClock : soon;
        Console.WriteLine($"load for {_case.Seconds:0.#} s");
        loads.ForEach(load => load.Go(_start));

        // Late batches make the rows' clock the wrong one by a constant: the reader adds it.
        var shift = ready[0].RowClock == 0 ? 0 : (_start - rowClock).Ticks / TimeSpan.TicksPerMicrosecond;
        await using var reader = _case.Latency ? new VisibleRows(stack.Engine, Prefix, shift) : null;
        await using var alerts = swarm is null ? null : new AlertProbe(stack.Engine, swarm);
        await using var queries = _case.Queries ? new QueryLoad(stack.Engine, _case.BeforeRows > 0 ? Prelude.FillAgent : Prefix + "-0") : null;
        var done = await WatchAsync(stack, loads, queries, rowsBefore, stop);
        if (reader is not null && alerts is not null)
        {
            await alerts.EndAsync();
            await reader.EndAsync();
            Latency(reader, alerts);
        }

        Queries(queries);
        await Merges.SettleAsync(stack.Engine, stop);
        var cpu = ProcessCpu.Read(stack.Endpoints.Children);
        foreach (var name in cpuBefore.Keys)
        {
            cpu[name] -= cpuBefore[name];
        }

        Peaks(stack);
        await RowsAsync(stack, done.Max(static load => load.Seconds), done, stop);
        CostReport.Add(_values, _case, cpu, done, _samples);
    }

    /// <summary>Watches the load until everything is committed.</summary>
    private async Task<LoadStatus[]> WatchAsync(CaseStack stack, List<LoadProcess> loads, QueryLoad? queries, long rowsBefore, CancellationToken stop)
    {
        await using var watch = new RunWatch(stack.Endpoints, stack.Engine, loads, Sender.Clock(_start), rowsBefore);
        try
        {
            var end = _start + TimeSpan.FromSeconds(_case.Seconds);
            var queriesEnd = queries is null ? Task.CompletedTask : EndAsync(queries, end, stop);
            var done = await watch.GuardAsync(Task.WhenAll(loads.Select(load => load.DoneAsync(stop))));
            await queriesEnd;
            return done;
        }
        finally
        {
            ProgressLine.End();
            _samples = watch.Samples;
            Sent([.. loads.Select(static load => load.Status)]);
        }
    }

    private static async Task EndAsync(QueryLoad queries, DateTime end, CancellationToken stop)
    {
        if (end - DateTime.UtcNow is var wait && wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, stop);
        }

        await queries.EndAsync();
    }

    /// <summary>What the agents say they did; also of a run that broke off.</summary>
    private void Sent(LoadStatus[] loads)
    {
        _values[ReportKeys.Offered] = loads.Sum(static load => load.Offered);
        _values[ReportKeys.Accepted] = loads.Sum(static load => load.Accepted);
        if (!_case.Max)
        {
            _values[ReportKeys.Late] = loads.Sum(static load => load.Late);
        }

        _values[ReportKeys.Sessions] = loads.Sum(static load => load.Sessions);
        if (_samples.Count > 0)
        {
            _values[ReportKeys.MostParts] = _samples.Max(static sample => sample.ActiveParts);
            _values[ReportKeys.Merges] = _samples.Sum(static sample => sample.RunningMerges);
            _values[ReportKeys.LoadPeak] = _samples.Max(static sample => sample.Resident.GetValueOrDefault(RunWatch.LoadName));
        }
    }

    /// <summary>What the tables say became of it.</summary>
    private async Task RowsAsync(CaseStack stack, double elapsed, LoadStatus[] done, CancellationToken stop)
    {
        var (stored, distinct) = await EventTables.StoredAsync(stack.Engine, Prefix, stop);
        var counted = await EventTables.CountedAsync(stack.Engine, Prefix, stop);
        var (bytes, parts) = await EventTables.DiskAsync(stack.Engine, stop);
        _values[ReportKeys.Committed] = distinct;
        _values[ReportKeys.Counted] = counted;
        _values[ReportKeys.Lost] = _values[ReportKeys.Accepted] - distinct - counted;
        _values[ReportKeys.Doubled] = stored - distinct;
        _values[ReportKeys.CommittedRate] = Math.Round(distinct / elapsed);
        _values[ReportKeys.Parts] = parts;
        _values[ReportKeys.Wire] = Math.Round((double)done.Sum(static load => load.WireBytes) / Math.Max(1, distinct), 2);
        if (_case.Max)
        {
            _values[ReportKeys.IngestRate] = _values[ReportKeys.CommittedRate];
        }

        if (_case.CapacitySeconds > 0)
        {
            _values[ReportKeys.OverloadDifference] = _values[ReportKeys.Offered] - distinct - counted;
        }

        if (ReportKeys.All[ReportKeys.Disk].Measured(_case))
        {
            _values[ReportKeys.Disk] = Math.Round((double)bytes / await EventTables.RowsAsync(stack.Engine, stop), 2);
        }
    }

    private void Peaks(CaseStack stack)
    {
        var children = stack.Endpoints.Children;
        _values[ReportKeys.ServePeak] = ProcessMemory.PeakResident(children[RunWatch.Serve]);
        _values[ReportKeys.NatsPeak] = ProcessMemory.PeakResident(children[RunWatch.Nats]);
        _values[ReportKeys.ClickHousePeak] = ProcessMemory.PeakResident(children[RunWatch.ClickHouse]);
    }

    private void Latency(VisibleRows reader, AlertProbe alerts)
    {
        _values[ReportKeys.LatencyP50] = Round(reader.Latency.Milliseconds(50));
        _values[ReportKeys.LatencyP90] = Round(reader.Latency.Milliseconds(90));
        _values[ReportKeys.LatencyP99] = Round(reader.Latency.Milliseconds(99));
        _values[ReportKeys.LatencyP999] = Round(reader.Latency.Milliseconds(99.9));
        _values[ReportKeys.LatencyMax] = Round(reader.Latency.Milliseconds(100));
        _values[ReportKeys.LatencyError] = Round(reader.Rounds.Milliseconds(99));
        _values[ReportKeys.LatencyRows] = reader.Latency.Count;
        _values[ReportKeys.AlertP50] = Round(alerts.Latency.Milliseconds(50));
        _values[ReportKeys.AlertP99] = Round(alerts.Latency.Milliseconds(99));
        _values[ReportKeys.AlertMax] = Round(alerts.Latency.Milliseconds(100));
        _values[ReportKeys.AlertRows] = alerts.Latency.Count;
    }

    private void Queries(QueryLoad? queries)
    {
        if (queries is null)
        {
            return;
        }

        _queries = [.. QueryLoad.All.Select((query, i) => (query.Name, Round(queries.Times[i].Milliseconds(95)), queries.Times[i].Count))];
        if (_queries.All(static query => query.Count > 0))
        {
            _values[ReportKeys.QueryP95] = _queries.Max(static query => query.P95);
        }
    }

    private async Task RawAsync(CaseStack stack, CancellationToken stop)
    {
        Console.WriteLine("inserting the same rows as raw Native blocks");
        using var mix = new EventMix(_case.Mix);
        var target = Math.Min(MostRawRows, (long)_values[ReportKeys.Committed]);
        var raw = await new RawNativeInsert(stack.Endpoints, stack.Engine).RunAsync(mix.Batches(600), target, stop);
        var perMillion = raw.CpuSeconds / (raw.Rows / 1e6);
        _values[ReportKeys.RawCpu] = Math.Round(perMillion, 3);
        _values[ReportKeys.RawRate] = Math.Round(raw.Rows / raw.Seconds);
        _values[ReportKeys.RawVersus] = Math.Round(perMillion / _values[ReportKeys.PathCpu], 3);
    }

    private static double Round(double value) => Math.Round(value, 1);
}
