namespace Streams.Schema;

/// <summary>Metrics that the agent samples in user space.</summary>
public static class MetricClasses
{
    private const string Telemetry = "agent.telemetry";

    public static EventClass Host { get; } = new(
        16, "host_metric", 1, PriorityClass.Metric, Telemetry, EventProducer.Agent,
        "A sample of a metric of the host.",
        new Column(16, "name", ColumnType.Dictionary, "name of the metric, for example cpu.busy"),
        new Column(17, "device", ColumnType.Dictionary, "device, interface or mount; empty for the whole host"),
        new Column(18, "value", ColumnType.Float64, "the sample"),
        new Column(19, "unit", ColumnType.Dictionary, "unit of the sample, for example bytes"));

    public static EventClass Module { get; } = new(
        17, "module_metric", 1, PriorityClass.Metric, Telemetry, EventProducer.Agent,
        "What a module of the agent costs.",
        new Column(16, "module", ColumnType.Dictionary, "name of the module"),
        new Column(17, "rss_bytes", ColumnType.UInt64, "resident memory attributed to the module"),
        new Column(18, "cpu_us", ColumnType.UInt64, "CPU time since the module started, microseconds"),
        new Column(19, "restarts", ColumnType.UInt32, "restarts since the agent started"),
        new Column(20, "state", ColumnType.Dictionary, "state of the module"));
}
