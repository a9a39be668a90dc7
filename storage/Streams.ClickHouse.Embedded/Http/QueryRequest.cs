using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Features;
using Streams.ClickHouse.Embedded.Engine;

namespace Streams.ClickHouse.Embedded.Http;

/// <summary>What the URL and the headers of a request say, sorted into the protocol's own parameters, query parameters and settings.</summary>
internal sealed partial class QueryRequest
{
    private const string ParameterPrefix = "param_";

    private readonly List<QueryParameter> _parameters = [];
    private readonly List<QueryParameter> _settings = [];

    public string Query { get; private set; } = "";

    public string? Database { get; private set; }

    public string Format { get; private set; } = "TabSeparated";

    public string QueryId { get; private set; } = "";

    /// <summary>Hold the answer back until the query has ended, so that a late error still gets its status.</summary>
    public bool WaitEnd { get; private set; }

    public bool CompressResponse { get; private set; }

    /// <summary>
    /// How long the body may take to arrive and the query to start, where max_execution_time is given: half of it. ClickHouse runs a query
    /// from its headers on, where KILL QUERY finds it; here it begins with the last byte, so an insert whose client was stopped in the
    /// middle must not begin long after.
    /// </summary>
    public TimeSpan? StartLimit { get; private set; }

    /// <summary>Its user may only read.</summary>
    public bool IsReader { get; set; }

    public IReadOnlyList<QueryParameter> Parameters => _parameters;

    public IReadOnlyList<QueryParameter> Settings => _settings;

    /// <summary>The request is usable as far as it was read even when an error is returned.</summary>
    public static QueryRequest Read(HttpRequest request, out EngineError? error)
    {
        var result = new QueryRequest();
        error = null;
        if (request.Headers.TryGetValue(HeaderNames.Database, out var database))
            result.Database = database;
        if (request.Headers.TryGetValue(HeaderNames.Format, out var format))
            error ??= result.SetFormat(format.ToString());
        foreach (var (name, values) in request.Query)
            error ??= result.Add(name, values.Count > 0 ? values[^1] ?? "" : "");
        if (result.QueryId.Length == 0)
            result.QueryId = Guid.NewGuid().ToString();
        return result;
    }

    /// <summary>
    /// Fields of multipart/form-data, which both official clients use for parameters too long for a URL: the same names as there.
    /// </summary>
    public async ValueTask<EngineError?> ReadFormAsync(HttpRequest request, int maxBytes, CancellationToken cancel)
    {
        try
        {
            var form = await request.ReadFormAsync(
                new FormOptions { ValueCountLimit = 1024, ValueLengthLimit = maxBytes, MultipartBodyLengthLimit = maxBytes }, cancel).ConfigureAwait(false);
            if (form.Files.Count > 0)
                return EngineError.Raise(EngineError.NotImplemented, "NOT_IMPLEMENTED", "External tables in multipart/form-data are not supported by streams-clickhouse; insert into a table first");
            EngineError? error = null;
            foreach (var (name, values) in form)
                error ??= Add(name, values.Count > 0 ? values[^1] ?? "" : "");
            return error;
        }
        catch (InvalidDataException fault)
        {
            return Bad($"The multipart/form-data of the request cannot be used: {fault.Message}");
        }
    }

    private EngineError? Add(string name, string value)
    {
        switch (name)
        {
            case "query":
                Query = value;
                return null;
            case "database":
                Database = value.Length > 0 ? value : Database;
                return null;
            case "default_format":
                return SetFormat(value);
            case "query_id":
                // It goes into a response header.
                if (value.Length > 256 || value.Any(c => c is < ' ' or > '~'))
                    return Bad("query_id must be printable ASCII of at most 256 characters");
                QueryId = value;
                return null;
            case "wait_end_of_query":
                WaitEnd |= IsTrue(value);
                return null;
            case "compress" or "decompress" when IsTrue(value):
                return EngineError.Raise(EngineError.NotImplemented, "NOT_IMPLEMENTED", $"{name}=1 (ClickHouse's own block compression) is not supported by streams-clickhouse; use Content-Encoding, or enable_http_compression=1 with Accept-Encoding");
            case "session_id" or "role" when value.Length > 0:
                return EngineError.Raise(EngineError.SupportIsDisabled, "SUPPORT_IS_DISABLED", $"{name} is not supported by streams-clickhouse: every request stands alone");
            case "user" or "password" or "quota_key" or "session_id" or "session_timeout" or "session_check" or "close_session" or "role"
                or "compress" or "decompress" or "stacktrace" or "buffer_size" or "client_protocol_version":
                return null;
            case "max_execution_time" when double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 1e6:
                StartLimit = TimeSpan.FromSeconds(seconds / 2);
                break;
            case "http_wait_end_of_query":
                WaitEnd |= IsTrue(value);
                break;
            // See Statement.BlankSync: it would never return.
            case "database_atomic_wait_for_drop_and_detach_synchronously":
                return null;
            case "enable_http_compression":
                CompressResponse = IsTrue(value);
                break;
        }

        if (name.StartsWith(ParameterPrefix, StringComparison.Ordinal))
            _parameters.Add(new QueryParameter(name[ParameterPrefix.Length..], value));
        else if (SettingName().IsMatch(name))
            _settings.Add(new QueryParameter(name, value));
        else
            return EngineError.Raise(EngineError.UnknownSetting, "UNKNOWN_SETTING", "A URL parameter is neither one of the HTTP interface nor the name of a setting");
        return null;
    }

    private EngineError? SetFormat(string format)
    {
        if (!FormatName().IsMatch(format))
            return Bad("The default format must be a name");
        Format = format;
        return null;
    }

    private static bool IsTrue(string value) => value is "1" or "true";

    private static EngineError Bad(string text) => EngineError.Raise(EngineError.BadArguments, "BAD_ARGUMENTS", text);

    // Names go into a SET statement unquoted; \z because $ would let a line feed through.
    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]{0,127}\z")]
    private static partial Regex SettingName();

    [GeneratedRegex(@"\A[A-Za-z][A-Za-z0-9]{0,63}\z")]
    private static partial Regex FormatName();
}
