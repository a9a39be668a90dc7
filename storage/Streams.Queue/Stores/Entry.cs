namespace Streams.Queue;

/// <summary>A stored record and the revision that a compare-and-set needs.</summary>
public readonly record struct Entry<T>(string Key, T Value, ulong Revision)
    where T : class;

/// <summary>A change of a bucket: a record, or its end.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The record; null if it was removed or cannot be read.</param>
/// <param name="Revision">Its revision.</param>
public readonly record struct Change<T>(string Key, T? Value, ulong Revision)
    where T : class;
