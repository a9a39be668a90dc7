using System.Text;
using System.Text.Json;
using Streams.Wire.Messages;

namespace Streams.Wire.Json;

/// <summary>
/// Reads a content field by field and remembers the first fault with the name of its field; after it every call gives zero. So a reader of a document is a plain
/// loop and checks once.
/// </summary>
internal ref struct ContentReader(ReadOnlySpan<byte> json)
{
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 4 };

    private Utf8JsonReader _json = new(json, Options);
    private string _at = "";

    public WireError Error { get; private set; }

    /// <summary>The field at fault; empty for none in particular.</summary>
    public string Field { get; private set; } = "";

    /// <summary>The next value is an object.</summary>
    public bool BeginObject() => Read() && Expect(JsonTokenType.StartObject);

    /// <summary>The value of the field at hand is an array.</summary>
    public bool BeginArray() => Read() && Expect(JsonTokenType.StartArray);

    /// <summary>True while the array has one more object, whose fields are read next.</summary>
    public bool NextObject() => Read() && _json.TokenType != JsonTokenType.EndArray && Expect(JsonTokenType.StartObject);

    /// <summary>The next field of the object; false at its end.</summary>
    /// <param name="seen">A bit for each field that was there.</param>
    /// <param name="prefix">Of the path, for errors.</param>
    public bool NextField(scoped ReadOnlySpan<string> names, ref uint seen, out int index, string prefix = "")
    {
        index = -1;
        if (!Read() || _json.TokenType == JsonTokenType.EndObject)
        {
            return false;
        }

        index = IndexOf(names);
        if (index < 0)
        {
            return Fail(WireError.UnknownField, prefix + JsonText.Name(_json.ValueSpan));
        }

        _at = prefix + names[index];
        if ((seen & (1U << index)) != 0)
        {
            return Fail(WireError.DuplicateKey, _at);
        }

        seen |= 1U << index;
        return true;
    }

    /// <param name="required">The bits that must be set.</param>
    public void Require(scoped ReadOnlySpan<string> names, uint seen, uint required, string prefix = "")
    {
        for (var i = 0; i < names.Length && Error == WireError.None; i++)
        {
            if ((required & ~seen & (1U << i)) != 0)
            {
                Fail(WireError.MissingField, prefix + names[i]);
            }
        }
    }

    public ulong Number(ulong max)
    {
        if (!Read())
        {
            return 0;
        }

        if (!JsonNumber.TryRead(in _json, max, out var value))
        {
            Fail(WireError.BadValue, _at);
        }

        return value;
    }

    /// <summary>Text in UTF-8 without control characters.</summary>
    public string Text(int maxBytes)
    {
        if (!Read() || !Expect(JsonTokenType.String))
        {
            return "";
        }

        // An escape of six bytes stands for one byte at least.
        if (_json.ValueSpan.Length > 6 * maxBytes)
        {
            Fail(WireError.TooLarge, _at);
            return "";
        }

        Span<byte> utf8 = stackalloc byte[_json.ValueSpan.Length];
        try
        {
            utf8 = utf8[.._json.CopyString(utf8)];
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair.
            Fail(WireError.BadValue, _at);
            return "";
        }

        if (utf8.Length > maxBytes || !WireText.IsClean(utf8))
        {
            Fail(utf8.Length > maxBytes ? WireError.TooLarge : WireError.BadValue, _at);
            return "";
        }

        return Encoding.UTF8.GetString(utf8);
    }

    /// <summary>A value that is one of these words; its index.</summary>
    public int Word(scoped ReadOnlySpan<string> words)
    {
        if (!Read() || !Expect(JsonTokenType.String))
        {
            return 0;
        }

        var index = IndexOf(words);
        if (index < 0)
        {
            Fail(WireError.BadValue, _at);
        }

        return Math.Max(index, 0);
    }

    /// <summary>Nothing follows.</summary>
    public void End()
    {
        if (Error == WireError.None && ReadRaw())
        {
            Fail(WireError.Malformed, "");
        }
    }

    public bool Fail(WireError error, string field)
    {
        if (Error == WireError.None)
        {
            Error = error;
            Field = field;
        }

        return false;
    }

    /// <summary>A rule of the document that the field at hand breaks.</summary>
    public bool FailHere(WireError error) => Fail(error, _at);

    /// <summary>Which of these the name or text at hand is; -1 for none.</summary>
    private int IndexOf(scoped ReadOnlySpan<string> names)
    {
        try
        {
            for (var i = 0; i < names.Length; i++)
            {
                if (_json.ValueTextEquals(names[i]))
                {
                    return i;
                }
            }
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair: no text at all.
        }

        return -1;
    }

    private bool Expect(JsonTokenType type) =>
        Error == WireError.None && (_json.TokenType == type || Fail(_at.Length == 0 ? WireError.Malformed : WireError.BadValue, _at));

    private bool Read() => Error == WireError.None && (ReadRaw() || Fail(WireError.Malformed, ""));

    private bool ReadRaw()
    {
        try
        {
            return _json.Read();
        }
        catch (JsonException)
        {
            return Fail(WireError.Malformed, _at);
        }
    }
}
