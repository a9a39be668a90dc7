namespace Streams.Storage;

/// <summary>
/// Names an insert to the server by the comment its query begins with, so that a successor can kill what a dead owner left
/// running. The owner is the random id of the worker process.
/// </summary>
/// <param name="Owner">Letters, digits and hyphens only: it goes into a comment and a LIKE pattern.</param>
/// <param name="K">Number of the insert in the owner's life.</param>
public readonly record struct InsertLabel(string Owner, long K)
{
    /// <summary>The comment in front of the query.</summary>
    public string Comment => $"/* ingest {Checked(Owner)} {K} */";

    /// <summary>LIKE pattern of all inserts of an owner.</summary>
    public static string PatternOf(string owner) => $"/* ingest {Checked(owner)} %";

    private static string Checked(string owner) =>
        owner.Length is > 0 and <= 64 && owner.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')
            ? owner
            : throw new ArgumentException($"owner '{owner}' is not made of letters, digits and hyphens");
}
