namespace Streams.Worker;

/// <summary>Where the worker says that a person must look. An implementation may not block and may not throw.</summary>
public interface ISystemAlerts
{
    /// <param name="kind">Stable name, snake_case: <c>insert_failing</c>, <c>dead_letter</c>, <c>dead_letter_quota</c>,
    /// <c>batch_partly_stored</c>, <c>lane_held</c>, <c>ledger_unbalanced</c>, <c>part_unreadable</c>, <c>disk_low</c>.</param>
    /// <param name="subject">What it is about: an agent, a lane, a table.</param>
    /// <param name="detail">One line.</param>
    void Raise(string kind, string subject, string detail);
}
