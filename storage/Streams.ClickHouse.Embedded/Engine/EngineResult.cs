using System.Text;

namespace Streams.ClickHouse.Embedded.Engine;

/// <summary>How a statement ended.</summary>
internal sealed record EngineResult(EngineError? Error, byte[] Output, QuerySummary Summary)
{
    public string Text => Encoding.UTF8.GetString(Output).TrimEnd('\n');

    public static EngineResult Failed(EngineError error) => new(error, [], default);
}

/// <summary>A value for <c>{name:Type}</c>, as text in the form that ClickHouse's HTTP interface takes.</summary>
internal readonly record struct QueryParameter(string Name, string Value);
