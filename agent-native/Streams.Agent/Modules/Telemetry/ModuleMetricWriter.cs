using System.Text;
using Streams.Agent.Modules.Comm;
using Streams.Agent.Modules.Core;
using Streams.Agent.Processes;
using Streams.Schema;

namespace Streams.Agent.Modules.Telemetry;

/// <summary>
/// Writes module_metric rows: one per module with how much the resident set grew while it started, and one named "agent" with the whole
/// process, which alone is exact (modules share the heap and the runtime).
/// </summary>
internal sealed class ModuleMetricWriter(UserSpaceProducer producer, ModuleCosts costs, Action<List<ModuleStatus>> copyStatus)
{
    private static readonly int ModuleOrdinal = MetricClasses.Module.OrdinalOf("module");
    private static readonly int RssOrdinal = MetricClasses.Module.OrdinalOf("rss_bytes");
    private static readonly int CpuOrdinal = MetricClasses.Module.OrdinalOf("cpu_us");
    private static readonly int RestartsOrdinal = MetricClasses.Module.OrdinalOf("restarts");
    private static readonly int StateOrdinal = MetricClasses.Module.OrdinalOf("state");

    private readonly List<ModuleStatus> _modules = [];

    public void Write()
    {
        costs.Sample();
        copyStatus(_modules);
        var whole = AgentProcess.ResidentBytes();
        var ofModules = 0L;
        var all = costs.CpuMicroseconds(ModuleName.Core);
        foreach (var module in _modules)
        {
            ofModules += module.StartRssBytes;
            all += costs.CpuMicroseconds(module.Name);
        }

        Row("agent"u8, whole, all, 0, ModuleStateName.Of(ModuleState.Running));
        Row("core"u8, Math.Max(0, whole - ofModules), costs.CpuMicroseconds(ModuleName.Core), 0, ModuleStateName.Of(ModuleState.Running));
        Span<byte> name = stackalloc byte[32];
        foreach (var module in _modules)
        {
            var length = Encoding.UTF8.GetBytes(module.Name, name);
            Row(name[..length], module.StartRssBytes, costs.CpuMicroseconds(module.Name), module.Restarts, ModuleStateName.Of(module.State));
        }
    }

    private void Row(ReadOnlySpan<byte> name, long rss, ulong cpu, uint restarts, string state)
    {
        if (!producer.TryBeginRow(name.Length + state.Length))
            return;
        Span<byte> text = stackalloc byte[32];
        var row = producer.Builder;
        row.TrySetDictionary(ModuleOrdinal, name);
        row.SetUInt64(RssOrdinal, (ulong)rss);
        row.SetUInt64(CpuOrdinal, cpu);
        row.SetUInt32(RestartsOrdinal, restarts);
        row.TrySetDictionary(StateOrdinal, text[..Encoding.UTF8.GetBytes(state, text)]);
        producer.EndRow();
    }
}
