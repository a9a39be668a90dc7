namespace Streams.ClickHouse.Embedded.Http;

/// <summary>HTTP status by exception code, after ClickHouse's src/Server/HTTP/exceptionCodeToHTTPStatus.cpp.</summary>
internal static class StatusCodeMap
{
    public static int Of(int exceptionCode) => exceptionCode switch
    {
        194 => StatusCodes.Status401Unauthorized, // REQUIRED_PASSWORD
        // UNKNOWN_USER, WRONG_PASSWORD, AUTHENTICATION_FAILED, SET_NON_GRANTED_ROLE, ACCESS_DENIED
        192 or 193 or 516 or 512 or 497 => StatusCodes.Status403Forbidden,
        // BAD_ARGUMENTS, CANNOT_COMPILE_REGEXP, CANNOT_PARSE_TEXT .. _QUOTED_STRING, _DATE, _DATETIME, _NUMBER, _INPUT_ASSERTION_FAILED, _UUID,
        // _DOMAIN_VALUE_FROM_STRING, _IPV4, _IPV6, DUPLICATE_COLUMN, ILLEGAL_COLUMN, THERE_IS_NO_COLUMN
        36 or 427 or 6 or 25 or 26 or 38 or 41 or 72 or 27 or 376 or 441 or 675 or 676 or 15 or 44 or 8
        // UNKNOWN_ELEMENT_IN_AST, UNKNOWN_TYPE_OF_AST_NODE, TOO_DEEP_AST, TOO_BIG_AST, UNEXPECTED_AST_STRUCTURE, SYNTAX_ERROR
            or 37 or 123 or 167 or 168 or 223 or 62
        // INCORRECT_DATA, TYPE_MISMATCH, VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
            or 117 or 53 or 321 => StatusCodes.Status400BadRequest,
        // UNKNOWN_TABLE, _FUNCTION, _IDENTIFIER, _TYPE, _STORAGE, _DATABASE, _SETTING, _DIRECTION_OF_SORTING, _AGGREGATE_FUNCTION, _FORMAT,
        // _DATABASE_ENGINE, _TYPE_OF_QUERY, _ROLE
        60 or 46 or 47 or 50 or 56 or 81 or 115 or 152 or 63 or 73 or 336 or 78 or 511 => StatusCodes.Status404NotFound,
        229 => StatusCodes.Status413PayloadTooLarge, // QUERY_IS_TOO_LARGE
        48 => StatusCodes.Status501NotImplemented, // NOT_IMPLEMENTED
        209 or 76 or 439 => StatusCodes.Status503ServiceUnavailable, // SOCKET_TIMEOUT, CANNOT_OPEN_FILE, CANNOT_SCHEDULE_TASK
        381 => StatusCodes.Status411LengthRequired, // HTTP_LENGTH_REQUIRED
        159 => StatusCodes.Status408RequestTimeout, // TIMEOUT_EXCEEDED
        _ => StatusCodes.Status500InternalServerError,
    };
}
