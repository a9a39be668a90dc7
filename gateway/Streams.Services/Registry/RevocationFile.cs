using Microsoft.Extensions.Logging;
using Streams.Queue;
using Streams.Wire.Handshake;

namespace Streams.Services.Registry;

/// <summary>
/// The list of revoked certificates as a file of the operator's keys: a queue that lost it, or came back from an older copy, gets it from
/// here. Only its form is judged; agents judge whose word it is.
/// </summary>
internal sealed class RevocationFile(string? path, RevocationStore store, ILogger logger)
{
    /// <exception cref="QueueException">The queue did not take it.</exception>
    public async Task PutBackAsync(CancellationToken cancel)
    {
        if (path is null || !File.Exists(path))
        {
            return;
        }

        string text;
        try
        {
            text = await File.ReadAllTextAsync(path, cancel).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            logger.RevocationsUnreadable(path, error.Message);
            return;
        }

        if (!RevocationList.TryParseText(text, out var list))
        {
            logger.RevocationsUnreadable(path, "not a signed list of serials");
        }
        else if (await store.TryPutAsync(RevocationStore.List, new RevocationRecord(list.ToText(), list.Version), cancel).ConfigureAwait(false))
        {
            logger.RevocationsPutBack(list.Serials.Count, list.Version);
        }
    }
}
