namespace Streams.Storage;

/// <summary>The result of an insert.</summary>
/// <param name="Outcome">What to do next.</param>
/// <param name="WrittenRows">Rows that the server says it wrote; -1 when it did not say. Duplicates that it dropped count as
/// written.</param>
/// <param name="Code">ClickHouse's error code, 0 without one.</param>
/// <param name="Message">For the log.</param>
public readonly record struct InsertResult(InsertOutcome Outcome, long WrittenRows = -1, int Code = 0, string Message = "");
