using Microsoft.Extensions.Logging;

namespace Streams.Worker;

/// <summary>Alerts as log events and a counter; what a worker does that is given nothing else.</summary>
internal sealed class LoggedAlerts(WorkerMetrics metrics, ILogger logger, ISystemAlerts? next) : ISystemAlerts
{
    public void Raise(string kind, string subject, string detail)
    {
        metrics.Alerted(kind);
        logger.SystemAlert(kind, subject, detail);
        next?.Raise(kind, subject, detail);
    }
}
