namespace Streams.Schema;

/// <summary>
/// Where the blocks of a zstd frame end. A column, or a list of one, that is not small gets blocks of its own, hence its own Huffman table: text and numbers share none
/// well. For 1,000 rows of the bench's mix, columns as they are, that is 30 bytes a row instead of 36, and any zstd decoder reads it.
/// </summary>
/// <param name="cuts">Receives the ends of blocks, rising; what has no room is not cut.</param>
/// <param name="start">Bytes before the first.</param>
internal ref struct BlockCuts(Span<int> cuts, int start)
{
    /// <summary>Below it a table costs more than it saves.</summary>
    private const int OwnBlockBytes = 1024;

    private readonly Span<int> _cuts = cuts;
    private int _position = start;
    private bool _small = true;

    /// <summary>The ends so far.</summary>
    public readonly ReadOnlySpan<int> Found => _cuts[..Count];

    private int Count { readonly get; set; }

    /// <summary>The next so many bytes belong together.</summary>
    public void Next(int length)
    {
        var wasSmall = _small;
        _small = length < OwnBlockBytes;
        if ((!_small || !wasSmall) && Count < _cuts.Length)
        {
            _cuts[Count++] = _position;
        }

        _position += length;
    }
}
