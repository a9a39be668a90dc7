using Streams.Schema;

namespace Streams.Queue.Producing;

/// <summary>Alerts as rows of <c>system_alert</c>.</summary>
public static class SystemAlertRow
{
    private static readonly int Kind = ServerClasses.SystemAlert.OrdinalOf("kind");
    private static readonly int Subject = ServerClasses.SystemAlert.OrdinalOf("subject");
    private static readonly int Detail = ServerClasses.SystemAlert.OrdinalOf("detail");

    /// <summary>Appends an alert; false: dropped.</summary>
    /// <param name="producer">Of the process that raises it.</param>
    /// <param name="kind">Stable name, snake_case.</param>
    /// <param name="subject">What it is about.</param>
    /// <param name="detail">One line.</param>
    public static bool TryAlert(this RowProducer producer, string kind, string subject, string detail) => producer.TryAppend(
        ServerClasses.SystemAlert,
        (kind, subject, detail),
        static (row, alert) =>
        {
            row.SetText(Kind, alert.kind);
            row.SetText(Subject, alert.subject);
            row.SetText(Detail, alert.detail);
        });
}
