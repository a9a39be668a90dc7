using System.Globalization;
using Streams.Bench.Running;
using Tomlyn.Model;

namespace Streams.Bench.Cases;

/// <summary>A table of a case file: every key is taken once, within its bound, and what is left over is an error that names it.</summary>
internal sealed class TomlFields(string file, string path, TomlTable table)
{
    private readonly HashSet<string> _known = [];

    public IEnumerable<string> Keys => table.Keys;

    public bool Has(string key) => table.ContainsKey(key);

    public string Text(string key, string fallback = "") => Take(key) switch
    {
        null => fallback,
        string text => text,
        _ => throw Wrong(key, "must be a text in quotes"),
    };

    public bool Flag(string key) => Take(key) switch
    {
        null => false,
        bool flag => flag,
        _ => throw Wrong(key, "must be true or false"),
    };

    public int Whole(string key, int fallback, int min, int max) => (int)Long(key, fallback, min, max);

    public long Long(string key, long fallback, long min, long max) => Take(key) switch
    {
        null => fallback,
        long value when value >= min && value <= max => value,
        long value => throw Wrong(key, $"is {value}, must be {min} to {max}"),
        _ => throw Wrong(key, $"must be a whole number, {min} to {max}"),
    };

    /// <summary>A number in a range; null when it is not there.</summary>
    public double? Number(string key, double min, double max)
    {
        double? value = Take(key) switch
        {
            null => null,
            long whole => whole,
            double number => number,
            _ => throw Wrong(key, "must be a number"),
        };
        return value is null || (value >= min && value <= max) ? value
            : throw Wrong(key, string.Create(CultureInfo.InvariantCulture, $"is {value}, must be {min} to {max}"));
    }

    /// <summary>A number that must be there.</summary>
    public double Need(string key, double min, double max) =>
        Number(key, min, max) ?? throw Wrong(key, string.Create(CultureInfo.InvariantCulture, $"is missing; a number from {min} to {max}"));

    public TomlFields? Table(string key) => Take(key) switch
    {
        null => null,
        TomlTable inner => new TomlFields(file, Join(key), inner),
        _ => throw Wrong(key, $"must be a table: [{Join(key)}]"),
    };

    public IReadOnlyList<TomlFields> Tables(string key) => Take(key) switch
    {
        null => [],
        TomlTableArray array => [.. array.Select((inner, index) => new TomlFields(file, string.Create(CultureInfo.InvariantCulture, $"{Join(key)}[{index + 1}]"), inner))],
        _ => throw Wrong(key, $"must be written [[{Join(key)}]]"),
    };

    /// <exception cref="BenchFailure">The table has a key that nobody asked for.</exception>
    public void End()
    {
        if (table.Keys.FirstOrDefault(key => !_known.Contains(key)) is { } unknown)
        {
            throw Wrong(unknown, $"is not a key; expected {string.Join(", ", _known.Order())}");
        }
    }

    public BenchFailure Wrong(string key, string what) => new($"{file}: {Join(key)} {what}");

    private string Join(string key) => path.Length == 0 ? key : $"{path}.{key}";

    private object? Take(string key)
    {
        _known.Add(key);
        return table.TryGetValue(key, out var value) ? value : null;
    }
}
