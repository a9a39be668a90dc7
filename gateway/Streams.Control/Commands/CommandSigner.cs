namespace Streams.Control.Commands;

/// <summary>Whose key signs a command.</summary>
public enum CommandSigner : byte
{
    /// <summary>The backend services' own key: it may ask, and change nothing.</summary>
    Service = 1,

    /// <summary>The key of a person, certified by an offline root: it may change a host.</summary>
    Operator = 2,
}
