namespace Streams.Schema;

/// <summary>Priority of a class of rows and of the lanes that carry it; lower is more important. On the wire: append only.</summary>
public enum PriorityClass : byte
{
    Control = 0,
    Response = 1,
    Alert = 2,
    Event = 3,
    Metric = 4,
    Bulk = 5,
}
