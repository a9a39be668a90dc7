using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Streams.Services.Http;

/// <summary>Bodies of the operator's HTTP: bytes of whoever has a token.</summary>
internal static class RequestBody
{
    private const int MaxFieldChars = 64;

    /// <summary>Reads one document. What is wrong is said by field and in words that hold nothing of the body but that field's name.</summary>
    public static bool TryRead<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, [NotNullWhen(true)] out T? value, out ErrorAnswer? error)
        where T : class
    {
        error = null;
        try
        {
            value = JsonSerializer.Deserialize(json, type);
            error = value is null ? new ErrorAnswer("invalid", "body: must be a JSON object", "body") : null;
        }
        catch (JsonException fault)
        {
            value = null;
            var field = Field(fault.Path);
            error = new ErrorAnswer("invalid", $"{field}: {Reason(fault)}", field);
        }

        return value is not null;
    }

    /// <summary>What the types of a body do not say of it; null when it may be obeyed.</summary>
    public static ErrorAnswer? Check(CommandBody body) =>
        body.Agents.Any(agent => !Wire.AgentId.IsValid(agent)) ? new ErrorAnswer("invalid", "agents: each matches [a-z0-9][a-z0-9-]{0,62}", "agents")
        : body.Arguments?.Any(argument => argument.Value is null) is true ? new ErrorAnswer("invalid", "arguments: values are texts", "arguments")
        : null;

    private static string Field(string? path)
    {
        if (path is not { Length: > 2 })
        {
            return "body";
        }

        var field = path.AsSpan(2, Math.Min(path.Length - 2, MaxFieldChars));
        return field.ContainsAnyExceptInRange(' ', '~') ? "body" : field.ToString();
    }

    private static string Reason(JsonException error) =>
        error.Message.Contains("could not be mapped", StringComparison.Ordinal) ? "there is no such field"
        : error.Message.Contains("missing required", StringComparison.Ordinal) ? "a field that must be there is missing"
        : error.Message.Contains("Duplicate", StringComparison.OrdinalIgnoreCase) ? "a field is there twice"
        : "not the JSON that is expected here";
}
