namespace Streams.Worker.Ranges;

/// <summary>Why a range was closed; also a label of metrics.</summary>
internal enum CloseReason : byte
{
    Rows,
    Bytes,
    Linger,
    DayChange,
    Drain,
    Batches,
    Alert,
}
