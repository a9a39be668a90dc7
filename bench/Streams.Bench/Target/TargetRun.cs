using System.Buffers.Text;
using System.Globalization;
using Streams.Bench.Cases;
using Streams.Bench.Load;
using Streams.Bench.Reports;
using Streams.Bench.Running;
using Streams.Bench.Watching;

namespace Streams.Bench.Target;

/// <summary>A case against a deployment that runs: asks, enrols, loads, counts and cleans up what it may. What can only be seen from inside the servers is not in the report.</summary>
internal sealed class TargetRun
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    private readonly TargetOptions _target;
    private readonly CaseDefinition _case;
    private readonly List<string> _agents = [];
    private readonly Dictionary<string, double> _values = [];

    private TargetRun(TargetOptions target, CaseDefinition definition)
    {
        _target = target;
        _case = definition;
    }

    /// <exception cref="BenchFailure">It was not allowed, or nothing could be begun.</exception>
    public static async Task<CaseReport> RunAsync(TargetOptions target, CaseDefinition asked, string directory, CancellationToken stop)
    {
        var run = new TargetRun(target, CappedCase.Of(asked, target.MaxRate));
        Enroller.Token(target);
        run.Ask();
        var (at, before) = (DateTimeOffset.UtcNow, Noise.Measure());
        string? partial = null;
        try
        {
            await run.LoadAsync(directory, stop);
        }
        catch (Exception failure) when (failure is BenchFailure or HttpRequestException or IOException || (failure is OperationCanceledException && stop.IsCancellationRequested))
        {
            partial = failure is OperationCanceledException ? "interrupted" : failure.Message.ReplaceLineEndings(" ");
        }

        await run.CleanUpAsync();
        return new CaseReport
        {
            Case = run._case,
            At = at,
            Partial = partial,
            Values = run._values,
            Machine = Machine.Read(),
            Before = before,
            After = partial is null ? Noise.Measure() : null,
            Samples = [],
        };
    }

    private void Ask()
    {
        var events = _case.Segments(0).Sum(static segment => segment.Events);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{_target.Gateway.Authority} gets {_case.Agents:N0} agents and about {events:N0} rows in {_case.Seconds:0} s, at most {_target.MaxRate:N0} a second, in {string.Join(" and ", EventTables.Names)}."));
        Console.WriteLine(_target.ClickHouse is null ? "Its rows stay: no --clickhouse is given to delete them." : "Its rows are deleted afterwards; the ledger's stay, as they are the proof of what was committed.");
        Console.WriteLine(_target.Data is null ? "The identities stay good: no --data is given to revoke them." : "The identities are revoked afterwards.");
        if (_target.Yes)
        {
            return;
        }

        if (Console.IsInputRedirected)
        {
            throw new BenchFailure("--target asks before it starts, and nobody is there to answer; give --yes");
        }

        Console.Write("Go on? [y/N] ");
        if (Console.ReadLine()?.Trim() is not ("y" or "Y" or "yes"))
        {
            throw new BenchFailure("not allowed: nothing was done");
        }
    }

    private async Task LoadAsync(string directory, CancellationToken stop)
    {
        var keys = Path.Combine(directory, "keys");
        await Enroller.EnrolAsync(_target, _case.Agents, keys, _agents, stop);
        await using var load = LoadProcess.Start(new LoadSpec
        {
            Gateway = _target.Gateway.GetLeftPart(UriPartial.Authority),
            Root = Base64Url.EncodeToString(Enroller.Token(_target).Root),
            AuthorityFile = _target.AuthorityFile,
            Prefix = "",
            Ids = _agents,
            Keys = keys,
            First = 0,
            Count = _case.Agents,
            Agents = _case.Agents,
            Mix = _case.Mix,
            Segments = _case.Segments(0),
            SpoolMebibytes = _case.SpoolMebibytes,
            FlushSeconds = _case.FlushSeconds,
            Directory = Path.Combine(directory, "load"),
        });
        await load.ReadyAsync(stop);
        load.Go(DateTime.UtcNow);
        try
        {
            var done = load.DoneAsync(stop);
            while (await Task.WhenAny(done, Task.Delay(Beat, CancellationToken.None)) != done)
            {
                var status = load.Status;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{status.Seconds,5:0} s {status.State}: offered {status.Offered:N0}, taken {status.Accepted:N0}, behind {status.BehindSeconds:0.0} s, {status.Connected} agents"));
            }

            var last = await done;
            // The agents were told that everything is committed.
            _values[ReportKeys.CommittedRate] = Math.Round(last.Accepted / last.Seconds);
        }
        finally
        {
            Sent(load.Status);
        }

        if (_target.ClickHouse is not null)
        {
            using var engine = Engine();
            var (stored, distinct) = await EventTables.StoredAsync(engine, _agents, stop);
            var counted = await EventTables.CountedAsync(engine, _agents, stop);
            _values[ReportKeys.Committed] = distinct;
            _values[ReportKeys.Counted] = counted;
            _values[ReportKeys.Lost] = _values[ReportKeys.Accepted] - distinct - counted;
            _values[ReportKeys.Doubled] = stored - distinct;
        }
    }

    private void Sent(LoadStatus status)
    {
        _values[ReportKeys.Offered] = status.Offered;
        _values[ReportKeys.Accepted] = status.Accepted;
        _values[ReportKeys.Late] = status.Late;
        _values[ReportKeys.Sessions] = status.Sessions;
        if (status.Accepted > 0)
        {
            _values[ReportKeys.Wire] = Math.Round((double)status.WireBytes / status.Accepted, 2);
            _values[ReportKeys.LinkCpu] = Math.Round(status.CpuSeconds / status.Accepted * 1e6, 3);
        }
    }

    /// <summary>Tries all of it, whatever fails, and says what is left for the operator.</summary>
    private async Task CleanUpAsync()
    {
        if (_agents.Count == 0)
        {
            return;
        }

        var left = new List<string>();
        if (_target.Data is { } data)
        {
            foreach (var agent in _agents)
            {
                try
                {
                    await StreamsCommand.RunAsync(["agents", "revoke", agent, "--data", data], CancellationToken.None);
                }
                catch (BenchFailure failure)
                {
                    left.Add(failure.Message);
                }
            }
        }
        else
        {
            left.Add($"identities {string.Join(", ", _agents)}: `streams agents revoke ID` for each");
        }

        if (_target.ClickHouse is not null)
        {
            try
            {
                using var engine = Engine();
                foreach (var table in EventTables.Names)
                {
                    await engine.TextAsync($"DELETE FROM {table} WHERE agent_id IN ({EventTables.Literals(_agents)})", "Null", CancellationToken.None);
                }
            }
            catch (Exception failure) when (failure is BenchFailure or HttpRequestException or OperationCanceledException)
            {
                left.Add($"rows: {failure.Message}");
            }
        }
        else
        {
            left.Add($"rows: DELETE FROM {string.Join(" and ", EventTables.Names)} WHERE agent_id IN ({EventTables.Literals(_agents)})");
        }

        Console.WriteLine(left.Count == 0 ? "cleaned up" : "left behind:\n  " + string.Join("\n  ", left));
    }

    private EngineClient Engine() => new(_target.ClickHouse!, _target.ClickHouseUser, _target.ClickHousePasswordFile is { } file ? File.ReadAllText(file).Trim() : "", _target.Database);
}
