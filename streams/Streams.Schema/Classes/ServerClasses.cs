namespace Streams.Schema;

/// <summary>What server processes say; they are producers like agents, under the id <c>_ROLE-NAME</c>.</summary>
public static class ServerClasses
{
    public static EventClass SystemAlert { get; } = new(
        48, "system_alert", 1, PriorityClass.Alert, "server", EventProducer.Server,
        "What a person must look at; each is a log event and a counter too.",
        new Column(16, "kind", ColumnType.Dictionary, "stable name, for example dead_letter"),
        new Column(17, "subject", ColumnType.String, "what it is about: an agent, a lane, a table"),
        new Column(18, "detail", ColumnType.String, "one line"))
    {
        Catalogues = [2],
    };
}
