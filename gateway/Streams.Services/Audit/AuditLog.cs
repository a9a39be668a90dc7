using Microsoft.Extensions.Logging;
using Streams.Queue.Producing;
using Streams.Schema;

namespace Streams.Services.Audit;

/// <summary>
/// Rows of <c>audit</c>. Every entry is also a log line, so that one is left when the rows find no room.
/// </summary>
public sealed class AuditLog(RowProducer producer, ILogger<AuditLog> logger)
{
    private static readonly EventClass Class = ServerClasses.Audit;
    private static readonly int Actor = Class.OrdinalOf("actor");
    private static readonly int Role = Class.OrdinalOf("role");
    private static readonly int Action = Class.OrdinalOf("action");
    private static readonly int Target = Class.OrdinalOf("object");
    private static readonly int Outcome = Class.OrdinalOf("outcome");
    private static readonly int Source = Class.OrdinalOf("source");
    private static readonly int Detail = Class.OrdinalOf("detail");

    public void Write(AuditEntry entry)
    {
        logger.Audited(entry.Actor, entry.Role, entry.Action, entry.Target, entry.Outcome, entry.Source?.ToString() ?? "-");
        if (!producer.TryAppend(Class, entry, Fill))
        {
            logger.AuditDropped(entry.Action);
        }
    }

    private static void Fill(BatchBuilder row, AuditEntry entry)
    {
        Span<byte> source = stackalloc byte[16];
        source.Clear();
        entry.Source?.MapToIPv6().TryWriteBytes(source, out _);
        row.SetText(Actor, entry.Actor);
        row.SetText(Role, entry.Role);
        row.SetText(Action, entry.Action);
        row.SetText(Target, entry.Target);
        row.SetText(Outcome, entry.Outcome);
        row.SetIPv6(Source, source);
        row.SetText(Detail, entry.Detail);
    }
}
