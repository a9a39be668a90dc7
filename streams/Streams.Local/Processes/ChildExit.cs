namespace Streams.Local;

/// <summary>How a child ended.</summary>
/// <param name="Name">The child's name.</param>
/// <param name="Code">Its exit code; 128 + signal number if a signal ended it, as shells have it.</param>
/// <param name="LastLine">The last line it printed, often the reason.</param>
/// <param name="LogPath">Where all it printed is.</param>
public sealed record ChildExit(string Name, int Code, string LastLine, string LogPath)
{
    /// <summary>One line for the operator.</summary>
    public override string ToString()
    {
        var how = Code > 128 ? $"was ended by signal {Code - 128}" : $"ended with exit code {Code}";
        return LastLine.Length == 0 ? $"{Name} {how}; log: {LogPath}" : $"{Name} {how}: {LastLine} (log: {LogPath})";
    }
}
