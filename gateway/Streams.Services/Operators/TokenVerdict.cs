namespace Streams.Services.Operators;

/// <summary>What became of a token that somebody showed. The one who showed it is only told that it is not valid.</summary>
public enum TokenVerdict
{
    Valid,
    Missing,
    Malformed,
    Unknown,
    WrongSecret,
    Expired,
    Revoked,
}
