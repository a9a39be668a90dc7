namespace Streams.Wire;

/// <summary>Priority class of a frame. Numbers are the wire's and equal Streams.Schema's PriorityClass; append only.</summary>
public enum LaneClass : byte
{
    Control = 0,
    Response = 1,
    Alert = 2,
    Event = 3,
    Metric = 4,
    Bulk = 5,
}
