namespace Streams.Fuzz;

/// <summary>A parser of bytes that somebody else made.</summary>
internal abstract class FuzzTarget
{
    /// <summary>Also the name of its folder of inputs.</summary>
    public abstract string Name { get; }

    /// <summary>Longest input that is tried.</summary>
    public virtual int MaxBytes => 4096;

    /// <summary>What a parser may allocate beyond the common bound, because its format says so.</summary>
    public virtual long ExtraAllocation => 0;

    /// <summary>Well-formed inputs, to begin with.</summary>
    public abstract IEnumerable<byte[]> Seeds();

    /// <summary>Words of the format, put into inputs.</summary>
    public virtual IReadOnlyList<byte[]> Words => [];

    /// <summary>
    /// Parses. Throws for whatever a parser must not do; gives a number for what it did, so that inputs which did something new are kept to
    /// go on from.
    /// </summary>
    public abstract int Run(ReadOnlySpan<byte> input);

    /// <summary>An invariant.</summary>
    protected static void Must(bool holds, string what)
    {
        if (!holds)
        {
            throw new FuzzException(what);
        }
    }

    protected static byte[] Utf8(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
