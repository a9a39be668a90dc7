using Microsoft.Extensions.Logging;

namespace Streams.Worker.Alerts;

/// <summary>Alerts as log events and a counter, and then to whoever else is to hear of them.</summary>
internal sealed class LoggedAlerts(WorkerMetrics metrics, ILogger logger, params ISystemAlerts?[] others) : ISystemAlerts
{
    public void Raise(string kind, string subject, string detail)
    {
        metrics.Alerted(kind);
        logger.SystemAlert(kind, subject, detail);
        foreach (var other in others)
        {
            other?.Raise(kind, subject, detail);
        }
    }
}
