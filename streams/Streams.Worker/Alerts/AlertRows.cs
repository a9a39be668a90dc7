using Streams.Queue.Producing;

namespace Streams.Worker.Alerts;

/// <summary>This process's alerts as rows of <c>system_alert</c>. One that finds no room is a log event and a counter only.</summary>
internal sealed class AlertRows(RowProducer producer, WorkerMetrics metrics) : ISystemAlerts
{
    public void Raise(string kind, string subject, string detail)
    {
        if (!producer.TryAlert(kind, subject, detail))
        {
            metrics.AlertDropped();
        }
    }
}
