namespace Streams.Schema;

/// <summary>Enumerates checked strings in their encoded form: <c>foreach (var s in column.Strings())</c>.</summary>
public ref struct StringRows
{
    private readonly ReadOnlySpan<byte> _encoded;
    private int _position;

    internal StringRows(ReadOnlySpan<byte> encoded) => _encoded = encoded;

    public ReadOnlySpan<byte> Current { get; private set; }

    public readonly StringRows GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_position == _encoded.Length || !Varuint.TryRead(_encoded, ref _position, out var length))
        {
            return false;
        }

        Current = _encoded.Slice(_position, length);
        _position += length;
        return true;
    }
}
