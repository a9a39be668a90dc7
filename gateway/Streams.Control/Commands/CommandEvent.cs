using System.Buffers.Text;

namespace Streams.Control.Commands;

/// <summary>
/// What an agent says of a command; <see cref="CommandAnswer"/> is the form in which it is believed. An agent may say the same twice, after a reconnect, and says of a
/// command it knows how it ended and nothing else.
/// </summary>
/// <param name="Command">The id, 32 hex digits.</param>
/// <param name="Digest">base64url of the digest of what came under the id: which command was meant.</param>
/// <param name="State">received, started, finished, failed, expired, refused or unknown.</param>
/// <param name="At">The agent's clock, µs since 1970.</param>
/// <param name="Detail">Why; one of <see cref="CommandRefusal"/> in snake_case for refused.</param>
/// <param name="Result">JSON as <see cref="CommandResult"/> has it, of a finished command; empty without.</param>
public sealed record CommandEvent(string Command, string Digest, CommandState State, ulong At, string Detail = "", string Result = "")
{
    public static CommandEvent Of(CommandDocument document, CommandState state, ulong at, string detail = "", string result = "")
    {
        ArgumentNullException.ThrowIfNull(document);
        return new CommandEvent(document.Id.ToString(), Base64Url.EncodeToString(document.Digest), state, at, detail, result);
    }
}
