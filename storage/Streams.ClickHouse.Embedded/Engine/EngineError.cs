using System.Globalization;

namespace Streams.ClickHouse.Embedded.Engine;

/// <summary>An error as ClickHouse has it: a number that clients act on and a text that ends with its name.</summary>
internal sealed record EngineError(int Code, string Message)
{
    public const int BadArguments = 36;
    public const int NotImplemented = 48;
    public const int LogicalError = 49;
    public const int SyntaxError = 62;
    public const int UnknownSetting = 115;
    public const int TimeoutExceeded = 159;
    public const int ReadOnly = 164;
    public const int TooManySimultaneousQueries = 202;
    public const int QueryIsTooLarge = 229;
    public const int MemoryLimitExceeded = 241;
    public const int CannotDecompress = 271;
    public const int SupportIsDisabled = 344;
    public const int QueryWasCancelled = 394;
    public const int AccessDenied = 497;
    public const int AuthenticationFailed = 516;

    private const string Prefix = "Code: ";

    /// <summary>An error that this program raises itself, in the words that ClickHouse would choose.</summary>
    public static EngineError Raise(int code, string name, string text) =>
        new(code, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{code}. DB::Exception: {text} ({name})"));

    /// <summary>The engine gives text only: <c>Code: 60. DB::Exception: ... (UNKNOWN_TABLE)</c>.</summary>
    public static EngineError Parse(string text)
    {
        var message = text.TrimEnd();
        if (message.StartsWith(Prefix, StringComparison.Ordinal))
        {
            var end = message.IndexOf('.', Prefix.Length);
            if (end > 0 && int.TryParse(message.AsSpan(Prefix.Length, end - Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var code))
                return new EngineError(code, message);
        }

        return Raise(LogicalError, "LOGICAL_ERROR", message);
    }
}
