using Streams.Bench.Load;
using Streams.Bench.Reports;
using Streams.Bench.Running;
using Tomlyn;
using Tomlyn.Model;

namespace Streams.Bench.Cases;

/// <summary>
/// Reads a case.toml. Whatever is unknown, out of range or cannot be done is one line that names the key and its bound, before anything is started.
/// To add a key: take it here with its bound and the reason for it, give it a property in <see cref="CaseDefinition"/>, a row in bench/cases/README.md, and a bad value in the tests.
/// </summary>
internal static class CaseFile
{
    /// <summary>Descriptors: a process may have 20,000, of which a gateway gives 18,000 to agents.</summary>
    public const int MostAgents = 18_000;

    /// <summary>An hour: whoever wants a soak runs several.</summary>
    public const double MostSeconds = 3600;

    /// <summary>Five times what the path is meant to take, so that overload can be asked for.</summary>
    private const double MostRate = 5_000_000;

    /// <summary>Rows that are made ahead with their scheduled times: some 25 bytes each, so 600 MB.</summary>
    public const long MostScheduledRows = 24_000_000;

    private const int MostProcesses = 16;

    /// <summary>As `up` has them.</summary>
    private const int DefaultPartitions = 4;

    private const int MostPartitions = 64;

    /// <summary>As an agent's own configuration has it.</summary>
    private const int LeastSpool = 16;

    private const int MostSpool = 4096;
    private const long MostBeforeRows = 500_000_000;

    public static CaseDefinition Read(string path) => Parse(File.ReadAllText(path), path, Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(path))!));

    /// <exception cref="BenchFailure">One line: file, key, bound.</exception>
    public static CaseDefinition Parse(string text, string file, string name)
    {
        TomlTable table;
        try
        {
            table = TomlSerializer.Deserialize<TomlTable>(text)!;
        }
        catch (TomlException wrong)
        {
            throw new BenchFailure($"{file}: {wrong.Message.ReplaceLineEndings(" ")}");
        }

        var root = new TomlFields(file, "", table);
        var load = root.Table("load") ?? throw root.Wrong("load", "is missing: a case has a load");
        var before = root.Table("before");
        var measure = root.Table("measure");
        var system = root.Table("system");
        var agents = load.Whole("agents", 8, 1, MostAgents);
        var definition = new CaseDefinition
        {
            Name = name,
            Title = root.Text("title", name),
            Agents = agents,
            Processes = load.Whole("processes", 1, 1, Math.Min(MostProcesses, agents)),
            Partitions = system?.Whole("partitions", DefaultPartitions, 1, MostPartitions) ?? DefaultPartitions,
            Mix = new MixOptions
            {
                Classes = load.Whole("classes", 2, 1, EventMix.Classes.Count),
                Seed = load.Whole("seed", 1, 0, int.MaxValue / 2),
                BatchRows = load.Whole("batch_rows", 1000, 1, Schema.Limits.MaxRows),
                Programs = load.Whole("programs", 100, 10, 100_000),
                Words = load.Whole("words", 2000, 1, 1_000_000),
                ArgumentBytes = load.Whole("string_bytes", 0, 0, 4096),
            },
            Scheduled = load.Flag("scheduled"),
            SpoolMebibytes = load.Whole("spool_mib", 0, 0, MostSpool),
            FlushSeconds = load.Number("flush_seconds", 1, 600) ?? 120,
            Phases = [.. root.Tables("phase").Select(PhaseOf)],
            BeforeRows = before?.Long("rows", 0, 0, MostBeforeRows) ?? 0,
            BeforeRate = before?.Number("rate", 1, MostRate) ?? 0,
            CapacitySeconds = before?.Number("capacity_seconds", 1, 120) ?? 0,
            Latency = measure?.Flag("latency") ?? false,
            Queries = measure?.Flag("queries") ?? false,
            Quiet = measure?.Flag("quiet") ?? false,
            RawNative = root.Table("compare") is { } compare && Flag(compare, "raw_native"),
            Gates = root.Table("gates") is { } gates ? [.. gates.Keys.Select(key => GateOf(gates, key))] : [],
        };
        load.End();
        before?.End();
        measure?.End();
        system?.End();
        root.End();
        CheckWhole(definition, root);
        return definition;
    }

    private static bool Flag(TomlFields fields, string key)
    {
        var flag = fields.Flag(key);
        fields.End();
        return flag;
    }

    private static Phase PhaseOf(TomlFields fields)
    {
        var kind = Enum.TryParse<PhaseKind>(fields.Text("kind", "steady"), ignoreCase: true, out var known) && Enum.IsDefined(known)
            ? known : throw fields.Wrong("kind", $"is \"{fields.Text("kind")}\", must be one of {string.Join(", ", Enum.GetNames<PhaseKind>()).ToLowerInvariant()}");
        var phase = new Phase { Kind = kind, Seconds = fields.Need("seconds", 0.1, MostSeconds) };
        if (kind == PhaseKind.Ramp)
        {
            phase = phase with { Rate = fields.Need("from", 1, MostRate), Other = fields.Need("to", 1, MostRate) };
        }
        else if (kind != PhaseKind.Max)
        {
            phase = fields.Has("times_capacity")
                ? phase with { TimesCapacity = fields.Need("times_capacity", 0.01, 10) }
                : phase with { Rate = fields.Need("rate", 1, MostRate) };
        }

        phase = kind switch
        {
            PhaseKind.Burst => phase with
            {
                Other = fields.Need("burst_rate", 1, MostRate),
                EverySeconds = fields.Need("every_seconds", 0.1, MostSeconds),
                BurstSeconds = fields.Need("burst_seconds", 0.05, MostSeconds),
            },
            PhaseKind.Churn => phase with { EverySeconds = fields.Need("every_seconds", 1, MostSeconds), Share = fields.Need("share", 0.001, 1) },
            PhaseKind.Hot => phase with { Share = fields.Need("share", 0.001, 0.999) },
            _ => phase,
        };
        if (kind == PhaseKind.Burst && phase.BurstSeconds >= phase.EverySeconds)
        {
            throw fields.Wrong("burst_seconds", $"is {phase.BurstSeconds}, must be below every_seconds, {phase.EverySeconds}");
        }

        fields.End();
        return phase;
    }

    private static Gate GateOf(TomlFields gates, string key)
    {
        var fields = gates.Table(key)!;
        if (!ReportKeys.All.ContainsKey(key))
        {
            throw gates.Wrong(key, $"is not a key of a report; expected one of {string.Join(", ", ReportKeys.All.Keys)}");
        }

        var (least, most) = (fields.Number("at_least", 0, 1e12), fields.Number("at_most", 0, 1e12));
        var aim = fields.Number("aim", 0, 1e12);
        fields.End();
        return (least, most) switch
        {
            ({ } bound, null) => new Gate(key, bound, AtMost: false, aim),
            (null, { } bound) => new Gate(key, bound, AtMost: true, aim),
            _ => throw gates.Wrong(key, "must have one of at_least and at_most"),
        };
    }

    private static void CheckWhole(CaseDefinition definition, TomlFields root)
    {
        if (definition.Phases.Count == 0)
        {
            throw root.Wrong("phase", "is missing: a load has at least one [[phase]]");
        }

        if (definition.Seconds > MostSeconds)
        {
            throw root.Wrong("phase", $"lasts {definition.Seconds:0} s in all, must be at most {MostSeconds:0}");
        }

        if (definition.Phases.Count > 1 && definition.Phases.Any(static phase => phase.Kind == PhaseKind.Max))
        {
            throw root.Wrong("phase", "of kind max has no due times and must be the only one");
        }

        if (definition.Phases.Count(static phase => phase.Kind == PhaseKind.Churn) > 1)
        {
            throw root.Wrong("phase", "of kind churn may be there once");
        }

        if (definition.Agents < 2 && definition.Phases.Any(static phase => phase.Kind == PhaseKind.Hot))
        {
            throw root.Wrong("load.agents", "is 1, must be at least 2 for a hot one among quiet ones");
        }

        if (definition.Phases.Any(static phase => phase.TimesCapacity > 0) != definition.CapacitySeconds > 0)
        {
            throw root.Wrong("before.capacity_seconds", "is needed with times_capacity, and only with it");
        }

        if (definition.BeforeRate > 0 && definition.BeforeRows is var rows && (rows == 0 || rows / definition.BeforeRate > Prelude.FillSeconds))
        {
            throw root.Wrong("before.rate", $"with before.rows takes {rows / definition.BeforeRate:0} s, must be above 0 and at most {Prelude.FillSeconds:0}");
        }

        if (definition.SpoolMebibytes is > 0 and < LeastSpool)
        {
            throw root.Wrong("load.spool_mib", $"is {definition.SpoolMebibytes}, must be 0 or {LeastSpool} to {MostSpool}");
        }

        if (definition.RawNative && definition.Mix.Classes != 2)
        {
            throw root.Wrong("load.classes", $"is {definition.Mix.Classes}, must be 2 with compare.raw_native");
        }

        CheckScheduled(definition, root);
        foreach (var gate in definition.Gates)
        {
            if (!ReportKeys.All[gate.Key].Measured(definition))
            {
                throw root.Wrong($"gates.{gate.Key}", "is of a key that this case does not measure");
            }
        }
    }

    private static void CheckScheduled(CaseDefinition definition, TomlFields root)
    {
        if (definition.Latency && !definition.Scheduled)
        {
            throw root.Wrong("measure.latency", "needs load.scheduled = true: rows then carry the time at which they were due");
        }

        if (!definition.Scheduled)
        {
            return;
        }

        if (definition.Processes > 1)
        {
            throw root.Wrong("load.processes", $"is {definition.Processes}, must be 1 with load.scheduled: the rows count from one clock");
        }

        if (definition.Max || definition.CapacitySeconds > 0)
        {
            throw root.Wrong("load.scheduled", "needs phases with a rate");
        }

        if (definition.Segments(0).Sum(static segment => segment.Events) is > MostScheduledRows and var events)
        {
            throw root.Wrong("load.scheduled", $"with {events:0} events in all phases, must be at most {MostScheduledRows}: they are made ahead");
        }
    }
}
