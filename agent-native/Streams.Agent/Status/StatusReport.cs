using System.Buffers;
using System.Text.Json;
using Streams.Agent.Configuration;
using Streams.Agent.Modules.Comm;
using Streams.Agent.Modules.Core;
using Streams.Agent.Processes;

namespace Streams.Agent.Status;

/// <summary>Makes the status document of the running agent.</summary>
internal sealed class StatusReport(
    AgentConfiguration configuration, CommModule comm, IReadOnlyList<IAgentModule> modules, Action<List<ModuleStatus>> copyStatus, TimeProvider clock)
{
    private readonly ArrayBufferWriter<byte> _buffer = new(4096);
    private readonly List<ModuleStatus> _states = [];
    private readonly Lock _gate = new();
    private readonly DateTimeOffset _started = clock.GetUtcNow();

    /// <summary>Any thread: the status socket and the command ask.</summary>
    public byte[] Write()
    {
        lock (_gate)
            return WriteOne();
    }

    private byte[] WriteOne()
    {
        _buffer.ResetWrittenCount();
        using (var writer = new Utf8JsonWriter(_buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("version", AgentVersion.Text);
            writer.WriteString("agent_id", configuration.AgentId);
            writer.WriteNumber("pid", Environment.ProcessId);
            writer.WriteString("epoch", comm.Epoch.ToString());
            writer.WriteString("started_at", _started);
            writer.WriteNumber("rss_bytes", AgentProcess.ResidentBytes());
            writer.WriteNumber("peak_rss_bytes", AgentProcess.PeakResidentBytes());
            copyStatus(_states);
            writer.WriteStartArray("modules");
            foreach (var state in _states)
            {
                writer.WriteStartObject();
                writer.WriteString("name", state.Name);
                writer.WriteString("state", ModuleStateName.Of(state.State));
                writer.WriteNumber("restarts", state.Restarts);
                writer.WriteNumber("start_rss_bytes", state.StartRssBytes);
                writer.WriteString("last_failure", state.LastFailure);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            foreach (var module in modules)
            {
                if (module is IStatusSource source)
                    source.WriteStatus(writer);
            }

            writer.WriteEndObject();
        }

        return _buffer.WrittenSpan.ToArray();
    }
}
