namespace Streams.ClickHouse.Embedded.Http;

internal static class HeaderNames
{
    public const string User = "X-ClickHouse-User";
    public const string Key = "X-ClickHouse-Key";
    public const string Database = "X-ClickHouse-Database";
    public const string Format = "X-ClickHouse-Format";
    public const string QueryId = "X-ClickHouse-Query-Id";
    public const string ServerDisplayName = "X-ClickHouse-Server-Display-Name";
    public const string Timezone = "X-ClickHouse-Timezone";
    public const string Summary = "X-ClickHouse-Summary";
    public const string ExceptionCode = "X-ClickHouse-Exception-Code";
    public const string ExceptionTag = "X-ClickHouse-Exception-Tag";
}
